import { maskWord, type Prefix } from './address.ts';

/**
 * Overlapping prefixes cut into disjoint intervals of the address space, so that one binary search says which of
 * them hold an address. Built once; `find` allocates nothing.
 */
export class PrefixIntervals {
  /** First address of each interval, 4 words each, ascending; the first is `::`. */
  readonly #starts: Int32Array;
  /** For each interval the positions of the prefixes that hold it, longest first. */
  readonly members: readonly (readonly number[])[];

  constructor(prefixes: readonly Prefix[]) {
    const points = [[0, 0, 0, 0], ...prefixes.flatMap((prefix) => bounds(prefix))].sort(compare);
    const starts = points.filter((point, i) => i === 0 || compare(point, points[i - 1]) !== 0);
    this.#starts = Int32Array.from(starts.flat());
    this.members = starts.map((start) => holders(prefixes, start));
  }

  /** The number of the interval that holds the address at `at`. */
  find(words: Int32Array, at: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length / 4 - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (isBefore(words, at, starts, 4 * middle)) high = middle - 1;
      else low = middle;
    }
    return low;
  }
}

function isBefore(words: Int32Array, at: number, starts: Int32Array, bt: number): boolean {
  for (let i = 0; i < 4; i++) {
    if (words[at + i] !== starts[bt + i]) return words[at + i] >>> 0 < starts[bt + i] >>> 0;
  }
  return false;
}

/** First address of the prefix, and the first one after it (none after the last address of all). */
function bounds({ words, bits }: Prefix): number[][] {
  const after = words.map((word, i) => word | ~maskWord(bits, i));
  for (let i = 3; i >= 0; i--) {
    after[i] = (after[i] + 1) | 0;
    if (after[i] !== 0) return [[...words], after];
  }
  return [[...words]];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < 4; i++) if (a[i] !== b[i]) return a[i] >>> 0 < b[i] >>> 0 ? -1 : 1;
  return 0;
}

function holders(prefixes: readonly Prefix[], address: readonly number[]): number[] {
  const holds = ({ words, bits }: Prefix) => words.every((word, i) => ((word ^ address[i]) & maskWord(bits, i)) === 0);
  return prefixes
    .flatMap((prefix, i) => (holds(prefix) ? [i] : []))
    .sort((a, b) => prefixes[b].bits - prefixes[a].bits);
}
