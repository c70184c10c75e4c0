import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import type { Predicate } from '../model/plan.ts';
import { CHUNK, Chunk } from './chunk.ts';
import { NetMasks } from './net-masks.ts';
import { Lookups, predicateCode } from './predicate-code.ts';
import { Texts } from './texts.ts';

type Mark = (rows: number) => void;

/** Chooses flow records by a condition of the rules' language: those of which either direction's row satisfies it. */
export class RecordFilter {
  readonly #chunk: Chunk;
  readonly #chosen = new Uint8Array(CHUNK);
  readonly #mark: Mark;

  constructor(predicate: Predicate, names: Names) {
    const lookups = new Lookups(new NetMasks(), new Texts(names));
    const test = predicateCode(predicate, lookups);
    lookups.masks.build();
    this.#chunk = new Chunk(lookups.masks, lookups.uses, Int32Array.of(0));
    this.#mark = markCode(test, lookups, this.#chunk, this.#chosen);
  }

  /** Calls `take` with the number of each chosen record, in order. */
  each(batch: FlowBatch, take: (row: number) => void): void {
    for (let from = 0; from < batch.length; from += CHUNK) {
      const to = Math.min(batch.length, from + CHUNK);
      this.#chunk.load(batch, from, to);
      this.#chosen.fill(0);
      this.#mark(this.#chunk.length);
      for (let row = from; row < to; row++) if (this.#chosen[row - from] === 1) take(row);
    }
  }
}

/** The condition over all rows of the chunk, as code: made once. */
function markCode(test: string, lookups: Lookups, chunk: Chunk, chosen: Uint8Array): Mark {
  const columns = Object.entries(chunk).filter(([, value]) => ArrayBuffer.isView(value));
  const scope: Record<string, unknown> = {
    ...Object.fromEntries(columns),
    chosen,
    NET_WORDS: lookups.masks.words,
    masks: lookups.masks,
    texts: lookups.texts,
    sets: lookups.sets,
    ...Object.fromEntries(lookups.tables.map((table, i) => [`table${i}`, table])),
  };
  const text = `return function mark(n){for(let q=0;q<n;q=q+1|0){const r=rows[q],i=r>>1;if(${test})chosen[i]=1;}};`;
  return new Function(...Object.keys(scope), `'use strict';${text}`)(...Object.values(scope)) as Mark;
}
