import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type LogKind, logKindOf, SNIFF_BYTES } from './kind.ts';

const ZSTD = 0x28b52ffd;
const GZIP = 0x1f8b;
const STALL_MS = 1000;

/** The kind of log that a file is, plain, gzip or zstd; null when it is none or cannot be read. A pipe is not looked into. */
export function fileLogKind(path: string): LogKind | null {
  const head = Buffer.alloc(SNIFF_BYTES);
  try {
    // Opening a named pipe would wait for its writer.
    if (!statSync(path).isFile()) return null;
    const fd = openSync(path, 'r');
    const length = readSync(fd, head, 0, head.length, 0);
    closeSync(fd);
    return logKindOf(plain(head.subarray(0, length)));
  } catch {
    return null;
  }
}

/** What a cut piece of compressed bytes gives. */
function plain(head: Buffer): Uint8Array {
  try {
    if (head.length > 4 && head.readUInt16BE(0) === GZIP) {
      return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 << 20 });
    }
    if (head.length > 4 && head.readUInt32BE(0) === ZSTD) {
      return zstdDecompressSync(head, { finishFlush: constants.ZSTD_e_flush, maxOutputLength: 64 << 20 });
    }
  } catch {
    return new Uint8Array(0);
  }
  return head;
}

/** The kind of log that a stream begins as; what was read is put back. A stream that stalls at its start is none. */
export async function streamLogKind(stream: Readable, stallMs = STALL_MS): Promise<LogKind | null> {
  const head = await firstChunk(stream, stallMs);
  if (head === null) return null;
  stream.unshift(head);
  return logKindOf(plain(head));
}

function firstChunk(stream: Readable, stallMs: number): Promise<Buffer | null> {
  const ready = stream.read() as Buffer | null;
  if (ready !== null || stream.readableEnded) return Promise.resolve(ready);
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stream.off('readable', done).off('end', done).off('error', done);
      resolve(stream.readableEnded || stream.destroyed ? null : (stream.read() as Buffer | null));
    };
    const timer = setTimeout(done, stallMs);
    stream.once('readable', done).once('end', done).once('error', done);
  });
}
