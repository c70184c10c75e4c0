import { finish } from '../core/hash.ts';
import { IPV4_WORD_2 } from '../model/address.ts';

/** One finished hash an address. IPv4 differs in its last word only, which enters unmixed: `finish` spreads it. */
export function hashAddresses(address: Int32Array, hashes: Int32Array, rows: number, seed: number): void {
  const v4 = upperHash(0, 0, IPV4_WORD_2, seed);
  for (let r = 0; r < rows; r = (r + 1) | 0) {
    const at = r << 2;
    const isV4 = address[at + 2] === IPV4_WORD_2 && address[at] === 0 && address[at + 1] === 0;
    const upper = isV4 ? v4 : upperHash(address[at], address[at + 1], address[at + 2], seed);
    hashes[r] = finish(upper ^ address[at + 3]);
  }
}

function upperHash(w0: number, w1: number, w2: number, seed: number): number {
  return finish((Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca77) ^ Math.imul(w2, 0xc2b2ae3d)) + seed);
}

/** The same hash for masked addresses. */
export function hashWords(w0: number, w1: number, w2: number, w3: number, seed: number): number {
  return finish(upperHash(w0, w1, w2, seed) ^ w3);
}

/** Another hash of a key's words than the one it has. Most words of IPv4 addresses are zero, which are passed over. */
export function secondHash(words: Int32Array, at: number, n: number, hash: number): number {
  let h = hash;
  for (let k = 0; k < n; k = (k + 1) | 0) {
    const word = words[at + k];
    if (word !== 0) h = finish(Math.imul(h, 0x9e3779b1) + word + k);
  }
  return finish(h ^ 0x27d4eb2f);
}
