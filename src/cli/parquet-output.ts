import { rmSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { WeirError } from '../core/errors.ts';
import { LineWriter } from '../core/output.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { FLOW_COLUMNS, type FlowField } from '../model/flow-fields.ts';
import type { Names } from '../model/names.ts';
import type { FlowOutput } from './flow-output.ts';
import { JsonOutput } from './json-output.ts';

const TEXTS: readonly FlowField[] = [
  'file',
  'sourceAddress',
  'destinationAddress',
  'communityId',
  'exporter',
  'outerSourceAddress',
  'outerDestinationAddress',
  'sourceMacAddress',
  'destinationMacAddress',
  'dnsQueryName',
  'tlsServerName',
];

function typeOf(field: FlowField): string {
  if (field === 'flowStart' || field === 'flowEnd') return 'TIMESTAMP';
  if (field === 'layers') return 'VARCHAR[]';
  if (field === 'relativeError') return 'DOUBLE';
  return TEXTS.includes(field) ? 'VARCHAR' : 'UBIGINT';
}

const COLUMNS = FLOW_COLUMNS.map((field) => `${field}: '${typeOf(field)}'`).join(', ');
const MEMORY_LIMIT = '512MB';

/** Flow records as a Parquet file with the columns of the JSON form: kept beside it as JSON until all are there. */
export class ParquetOutput implements FlowOutput {
  readonly #path: string;
  readonly #lines: LineWriter;
  readonly #json: JsonOutput;

  constructor(path: string, names: Names) {
    this.#path = path;
    this.#lines = new LineWriter(this.#partial);
    this.#json = new JsonOutput(this.#lines, names);
  }

  get #partial(): string {
    return `${this.#path}.partial.ndjson`;
  }

  write(batch: FlowBatch, file: string | undefined): void {
    this.#json.write(batch, file);
  }

  async end(): Promise<void> {
    this.#json.end();
    this.#lines.close();
    try {
      await convert(this.#partial, this.#path);
    } catch (cause) {
      throw new WeirError('output.parquet', `cannot write ${this.#path}`, { cause });
    } finally {
      rmSync(this.#partial, { force: true });
    }
  }
}

async function convert(from: string, to: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: MEMORY_LIMIT });
  const connection = await instance.connect();
  const source = `read_json(${quoted(from)}, format = 'newline_delimited', columns = {${COLUMNS}})`;
  await connection.run(`COPY (SELECT * FROM ${source}) TO ${quoted(to)} (FORMAT parquet, COMPRESSION zstd)`);
  connection.closeSync();
  instance.closeSync();
}

const quoted = (path: string): string => `'${path.replaceAll("'", "''")}'`;
