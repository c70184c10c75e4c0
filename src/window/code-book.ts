import { finish } from '../core/hash.ts';
import { hashWords, secondHash } from './address-hash.ts';
import type { Chunk } from './chunk.ts';
import { bucket } from './measure/quantile.ts';
import type { Lookups } from './predicate-code.ts';
import type { Scratch } from './rule-code.ts';

/**
 * Makes functions of generated text, each text once: rules that find, count or group alike run the same function, so that it is
 * optimised once and early. Their state is in the arrays that all rules use in turn.
 */
export class CodeBook {
  readonly #names: string[];
  readonly #values: unknown[];
  readonly #known = new Map<string, unknown>();

  constructor(chunk: Chunk, scratch: Scratch, seed: Int32Array, lookups: Lookups) {
    const scope: Record<string, unknown> = {
      chunk,
      ...columnsOf(chunk),
      SEL: scratch.selected,
      HH: scratch.hash,
      KW: scratch.words,
      ROW: scratch.row,
      HP: scratch.pairHash,
      KP: scratch.pairWords,
      AM0: scratch.amounts[0],
      AM1: scratch.amounts[1],
      SEEDS: seed,
      NET_WORDS: lookups.masks.words,
      masks: lookups.masks,
      texts: lookups.texts,
      sets: lookups.sets,
      ...Object.fromEntries(lookups.tables.map((table, i) => [`table${i}`, table])),
      finish,
      hashWords,
      secondHash,
      bucket,
    };
    this.#names = Object.keys(scope);
    this.#values = Object.values(scope);
  }

  /** @param text of a function expression */
  make<F>(text: string): F {
    const known = this.#known.get(text) ?? this.#compile(text);
    this.#known.set(text, known);
    return known as F;
  }

  #compile(text: string): unknown {
    return new Function(...this.#names, `'use strict';return ${text};`)(...this.#values);
  }
}

function columnsOf(chunk: Chunk): Record<string, unknown> {
  return Object.fromEntries(Object.entries(chunk).filter(([, value]) => ArrayBuffer.isView(value)));
}
