import { crc32 } from 'node:zlib';
import { WeirError } from '../core/errors.ts';

/**
 * State as bytes: a signature of the options (so that a model never wakes up under other ones), a CRC-32, then arrays,
 * each with its length. Numbers are copied bit by bit, which makes a restored model equal to the last digit.
 */
const HEADER = 12;
const MAGIC = 0x31534657; // "WFS1"

export type StateArray = Float64Array | Float32Array | Int16Array | Int8Array;

export function packState(signature: string, arrays: readonly StateArray[]): Uint8Array {
  const size = arrays.reduce((sum, a) => sum + 4 + a.byteLength, HEADER);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = HEADER;
  for (const array of arrays) {
    view.setUint32(at, array.byteLength, true);
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at + 4);
    at += 4 + array.byteLength;
  }
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, crc32(signature), true);
  view.setUint32(8, crc32(bytes.subarray(HEADER)), true);
  return bytes;
}

/** The arrays' bytes, each a copy of its own, aligned. Throws for anything that `packState` did not write. */
export function unpackState(signature: string, bytes: Uint8Array): ArrayBuffer[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER || view.getUint32(0, true) !== MAGIC) throw damaged('no forecast state');
  if (view.getUint32(4, true) !== crc32(signature))
    throw new WeirError('state.options', 'forecast state was saved under other options');
  if (view.getUint32(8, true) !== crc32(bytes.subarray(HEADER))) throw damaged('forecast state with a wrong checksum');
  const arrays: ArrayBuffer[] = [];
  for (let at = HEADER; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    arrays.push(bytes.slice(at + 4, at + 4 + length).buffer);
    at += 4 + length;
  }
  return arrays;
}

/** Copies saved bytes over an array that the options have already sized; throws when the sizes differ. */
export function fill(target: StateArray, saved: ArrayBuffer | undefined): void {
  if (saved?.byteLength !== target.byteLength) throw damaged('forecast state of another size');
  new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(new Uint8Array(saved));
}

export function damaged(what: string): WeirError {
  return new WeirError('state.damaged', `the saved state cannot be read: ${what}`);
}
