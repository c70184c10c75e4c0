import { messageOf } from '../core/errors.ts';
import type { PacketReader } from '../model/packet-reader.ts';
import type { ByteInput } from './byte-input.ts';
import { FailedReader } from './capture-reader.ts';
import { type OrderedOptions, OrderedStream, openable } from './ordered.ts';
import { fileOrigin, openContent, openReader, type ReaderName, STANDARD_INPUT, standardInputOrigin } from './origin.ts';
import type { PacketStream } from './packet-stream.ts';
import { isInOrder } from './scan.ts';

export { looksLikeCapture } from './capture-reader.ts';
export { type CaptureSourceOptions, createCaptureSource } from './create.ts';
export { isLoadCsv, LoadCsvReader } from './load-csv.ts';
export { sourceOptions } from './options.ts';
export type { OrderedOptions } from './ordered.ts';
export type { ReaderName } from './origin.ts';
export type { PacketRun, PacketStream } from './packet-stream.ts';
export { type CaptureSummary, summarize } from './summary.ts';

/**
 * Opens one capture, in the order of the file: pcap or pcapng, plain, gzip or zstd, told by its content. What cannot
 * be opened is a reader without packets and with an error.
 */
export function openCapture(path: string, options: { reader?: ReaderName } = {}): PacketReader {
  try {
    return openReader(fileOrigin(path), options.reader);
  } catch (cause) {
    return new FailedReader(path, 'capture.open', cause);
  }
}

/** Opens standard input (`-`) as one capture. */
export async function openStandardInput(options: { reader?: ReaderName } = {}): Promise<PacketReader> {
  return openReader(await standardInputOrigin(null, {}), options.reader);
}

/**
 * Opens captures as one stream in the order of event time (`-` is standard input). The stream does not depend on the
 * order of the paths. Finite inputs are looked through first: one whose packets lie further than `boundUs` out of order
 * is read through an index of time. Packets without a time take the time of the packet before.
 */
export function openOrdered(paths: readonly string[], options: OrderedOptions = {}): PacketStream {
  return new OrderedStream(paths, options);
}

/** True when no packet of a capture lies further than `boundUs` behind an earlier one; one that cannot be opened has none. */
export async function isOrdered(path: string, boundUs: number, reader?: ReaderName): Promise<boolean> {
  const first = openReader(openable(path), reader);
  const ordered = await isInOrder(first, boundUs);
  first.close();
  return ordered;
}

/** The bytes of a file or of standard input (`-`), decompressed when they are gzip or zstd. What cannot be opened has an error. */
export async function openBytes(path: string): Promise<ByteInput> {
  try {
    return openContent(path === STANDARD_INPUT ? await standardInputOrigin(null, {}) : fileOrigin(path));
  } catch (cause) {
    const error = { code: 'source.open', offset: 0, message: messageOf(cause) };
    return { bytesRead: 0, bytesTotal: null, error, read: () => 0, close: () => {} };
  }
}

export { STANDARD_INPUT };
