import { finish } from '../core/hash.ts';

/** One finished hash an address. IPv4 differs in its last word only, which enters unmixed: `finish` spreads it. */
export function hashAddresses(address: Int32Array, hashes: Int32Array, rows: number, seed: number): void {
  for (let r = 0; r < rows; r++) {
    const at = 4 * r;
    hashes[r] = hashWords(address[at], address[at + 1], address[at + 2], address[at + 3], seed);
  }
}

/** The same hash for masked addresses. */
export function hashWords(w0: number, w1: number, w2: number, w3: number, seed: number): number {
  const upper = Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca77) ^ Math.imul(w2, 0xc2b2ae3d);
  return finish(finish(upper + seed) ^ w3);
}
