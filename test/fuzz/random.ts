import { finish, mix } from '../../src/core/hash.ts';

/** Random numbers that are the same for the same seeds (sfc32, Doty-Humphrey 2010). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(...seeds: number[]) {
    this.#a = seeds.reduce((hash, seed) => finish(mix(hash, seed | 0)), 1);
    this.#b = finish(mix(this.#a, 2));
    this.#c = finish(mix(this.#b, 3));
    for (let i = 0; i < 8; i++) this.next();
  }

  /** 32 random bits as an unsigned number. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A whole number from 0 up to, not including, `limit`; 0 when there is none. */
  below(limit: number): number {
    return limit > 0 ? Math.floor((this.next() / 2 ** 32) * limit) : 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}
