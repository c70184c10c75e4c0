import { readFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { messageOf, WeirError } from './errors.ts';

/**
 * A checksummed file that holds one state:
 *
 *     "WEIRSNAP" 8 | format 4 | version 4 | body length 8 | CRC-32 of all that is before and of the body 4 | body
 *
 * Little-endian. It is written beside its place, synced, renamed, and its folder synced, so that there is always a whole
 * one. `format` is of this header; `version` is of the state inside.
 */
const MAGIC = 'WEIRSNAP';
const FORMAT = 1;
const HEADER_BYTES = 28;
const CRC_AT = 24;
/** Summed up and written in pieces, so that a large state does not keep the loop for long. */
const PIECE_BYTES = 4 << 20;

/** The parts of the body stay as they are until the promise resolves. */
export async function writeSnapshot(path: string, version: number, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await writeParts(file, headerOf(version, parts), parts);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** @throws WeirError `snapshot.damaged`, or `snapshot.version` for a state of another version */
export function readSnapshot(path: string, version: number): Uint8Array {
  const bytes = readWhole(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (bytes.length < HEADER_BYTES || magic !== MAGIC) throw damaged(path, 'it is no snapshot, or cut short');
  const body = bytes.subarray(HEADER_BYTES);
  if (Number(view.getBigUint64(16, true)) !== body.length) throw damaged(path, 'it is cut short');
  if (view.getUint32(CRC_AT, true) !== crc32(body, crc32(bytes.subarray(0, CRC_AT)))) {
    throw damaged(path, 'its checksum differs');
  }
  const [format, found] = [view.getUint32(8, true), view.getUint32(12, true)];
  if (format === FORMAT && found === version) return body;
  throw new WeirError('snapshot.version', `${path} is of state version ${format}.${found}, not ${FORMAT}.${version}`, {
    facts: { found, version },
  });
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The header without its checksum. */
function headerOf(version: number, parts: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, FORMAT, true);
  view.setUint32(12, version, true);
  view.setBigUint64(16, BigInt(parts.reduce((sum, { length }) => sum + length, 0)), true);
  return header;
}

/** The header comes last, when the checksum is known. */
async function writeParts(file: FileHandle, header: Uint8Array, parts: readonly Uint8Array[]): Promise<void> {
  let sum = crc32(header.subarray(0, CRC_AT));
  let position = HEADER_BYTES;
  for (const part of parts) {
    for (let from = 0; from < part.length; from += PIECE_BYTES) {
      const piece = part.subarray(from, from + PIECE_BYTES);
      sum = crc32(piece, sum);
      await writeAll(file, piece, position);
      position += piece.length;
    }
  }
  new DataView(header.buffer).setUint32(CRC_AT, sum, true);
  await writeAll(file, header, 0);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

function readWhole(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw damaged(path, messageOf(cause), cause);
  }
}

function damaged(path: string, why: string, cause?: unknown): WeirError {
  return new WeirError('snapshot.damaged', `${path} cannot be read: ${why}`, { cause });
}
