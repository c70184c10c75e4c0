import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { DICTIONARY, type Page, PageEncoder, type ParquetColumn, PLAIN, RLE } from './parquet-page.ts';
import { ThriftWriter } from './thrift.ts';

/**
 * A Parquet file (README.md and parquet.thrift of Apache Parquet): `PAR1 | column chunks of each row group | footer |
 * length of the footer 4 | PAR1`. Every column may be absent; pages are compressed with Zstandard.
 */
const MAGIC = Buffer.from('PAR1');
/** As many rows as DuckDB puts into a row group. */
export const GROUP_ROWS = 122_880;
/** Codecs. */
const UNCOMPRESSED = 0;
const ZSTD = 6;
/** What is shorter is left as it is: setting up the compression costs more than it saves. */
const FEW_BYTES = 512;
const OPTIONAL = 1;
/** More costs four times as much and saves a tenth. */
const LEVEL = 1;

/** Physical type and converted type (ConvertedType of parquet.thrift). */
const TYPES: Record<ParquetColumn['type'], { physical: number; converted: number | null }> = {
  timestamp: { physical: 2, converted: 10 },
  int64: { physical: 2, converted: 18 },
  uint64: { physical: 2, converted: 14 },
  int32: { physical: 1, converted: 17 },
  uint16: { physical: 1, converted: 12 },
  uint8: { physical: 1, converted: 11 },
  double: { physical: 5, converted: null },
  text: { physical: 6, converted: 0 },
};

interface Chunk {
  column: ParquetColumn;
  codec: number;
  encoding: number;
  rows: number;
  offset: number;
  dictionaryOffset: number | null;
  dataOffset: number;
  compressed: number;
  uncompressed: number;
  bounds: Page['bounds'];
}

/**
 * Writes rows, in this order, as one file: beside its name, synced, then renamed, so that a reader never sees half a file
 * and a repeated write replaces its twin. Blocks; throws what the disk throws.
 * @returns bytes written
 */
export function writeParquet(path: string, columns: readonly ParquetColumn[], order: Uint32Array): number {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    const size = new Writer(file).write(columns, order);
    fsyncSync(file);
    renameSync(temporary, path);
    return size;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** One file is written at a time. */
const encoder = new PageEncoder();

class Writer {
  readonly #file: number;
  #at = 0;

  constructor(file: number) {
    this.#file = file;
  }

  write(columns: readonly ParquetColumn[], order: Uint32Array): number {
    this.#put(MAGIC);
    const groups: Chunk[][] = [];
    for (let from = 0; from < order.length; from += GROUP_ROWS) {
      const part = order.subarray(from, from + GROUP_ROWS);
      groups.push(columns.map((column) => this.#chunk(column, encoder.encode(column, part), part.length)));
    }
    const footer = footerOf(columns, groups, order.length);
    this.#put(footer);
    const end = Buffer.alloc(4);
    end.writeUInt32LE(footer.length);
    this.#put(Buffer.concat([end, MAGIC]));
    return this.#at;
  }

  #chunk(column: ParquetColumn, { data, encoding, dictionary, bounds }: Page, rows: number): Chunk {
    const offset = this.#at;
    const isSmall = data.length + (dictionary?.data.length ?? 0) < FEW_BYTES;
    const codec = isSmall ? UNCOMPRESSED : ZSTD;
    let uncompressed = 0;
    if (dictionary) uncompressed += this.#page(dictionary.data, codec, 'dictionary', dictionary.entries, PLAIN);
    const dataOffset = this.#at;
    uncompressed += this.#page(data, codec, 'data', rows, encoding);
    const compressed = this.#at - offset;
    const dictionaryOffset = dictionary ? offset : null;
    return { column, codec, encoding, rows, offset, dictionaryOffset, dataOffset, compressed, uncompressed, bounds };
  }

  /** A page with its header (PageHeader: kind, sizes, what it holds). @returns bytes before compression */
  #page(data: Uint8Array, codec: number, kind: 'data' | 'dictionary', values: number, encoding: number): number {
    const body = codec === ZSTD ? compress(data) : data;
    const header = new ThriftWriter();
    header.i32(1, kind === 'data' ? 0 : 2);
    header.i32(2, data.length);
    header.i32(3, body.length);
    header.struct(kind === 'data' ? 5 : 7, () => {
      header.i32(1, values);
      header.i32(2, encoding);
      if (kind === 'dictionary') return;
      header.i32(3, RLE);
      header.i32(4, RLE);
    });
    header.end();
    this.#put(header.bytes);
    this.#put(body);
    return header.bytes.length + data.length;
  }

  #put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, bytes.length - at);
    this.#at += bytes.length;
  }
}

/** In one piece: the runtime would gather it of small ones. */
function compress(data: Uint8Array): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  return zstdCompressSync(data, { params, chunkSize: data.length + 1024, pledgedSrcSize: data.length });
}

/** FileMetaData: version, schema, rows, row groups, who wrote it. */
function footerOf(columns: readonly ParquetColumn[], groups: readonly Chunk[][], rows: number): Uint8Array {
  const out = new ThriftWriter();
  out.i32(1, 1);
  out.structs(2, [null, ...columns], (column) =>
    column ? schemaElement(out, column) : schemaRoot(out, columns.length),
  );
  out.i64(3, rows);
  out.structs(4, groups, (chunks) => {
    out.structs(1, chunks, (chunk) => columnChunk(out, chunk));
    out.i64(
      2,
      chunks.reduce((sum, { uncompressed }) => sum + uncompressed, 0),
    );
    out.i64(3, chunks[0].rows);
  });
  out.text(6, 'weir');
  out.end();
  return out.bytes;
}

function schemaRoot(out: ThriftWriter, children: number): void {
  out.text(4, 'weir');
  out.i32(5, children);
}

function schemaElement(out: ThriftWriter, { name, type }: ParquetColumn): void {
  const { physical, converted } = TYPES[type];
  out.i32(1, physical);
  out.i32(3, OPTIONAL);
  out.text(4, name);
  if (converted !== null) out.i32(6, converted);
  if (type === 'timestamp') out.struct(10, () => out.struct(8, () => localMicros(out)));
}

/** LogicalType TIMESTAMP, in microseconds, of no time zone. */
function localMicros(out: ThriftWriter): void {
  out.flag(1, false);
  out.struct(2, () => out.struct(2, () => {}));
}

function columnChunk(out: ThriftWriter, chunk: Chunk): void {
  const { column, codec, encoding, rows, offset, dictionaryOffset, dataOffset, compressed, uncompressed, bounds } =
    chunk;
  out.i64(2, offset);
  out.struct(3, () => {
    out.i32(1, TYPES[column.type].physical);
    out.i32s(2, encoding === DICTIONARY ? [PLAIN, RLE, DICTIONARY] : [RLE, encoding]);
    out.texts(3, [column.name]);
    out.i32(4, codec);
    out.i64(5, rows);
    out.i64(6, uncompressed);
    out.i64(7, compressed);
    out.i64(9, dataOffset);
    if (dictionaryOffset !== null) out.i64(11, dictionaryOffset);
    if (bounds && column.type === 'timestamp') {
      out.struct(12, () => {
        out.binary(5, longBytes(bounds[1]));
        out.binary(6, longBytes(bounds[0]));
      });
    }
  });
}

function longBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}
