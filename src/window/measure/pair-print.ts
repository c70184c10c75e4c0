import { finish } from '../../core/hash.ts';
import type { KeyedTable } from '../keyed-table.ts';
import type { Pane } from '../pane.ts';

/**
 * Two hashes of a pair that outlives its pane: over the words of its key and of its tuple, without the process's seed.
 */
export class PairPrint {
  low = 0;
  high = 0;

  of(pane: Pane, pair: number, row: number): void {
    const { table } = pane.pairs[pair];
    const at = 2 * row * table.stride;
    this.low = 0x2545f491;
    this.high = 0x9e3779b9 | 0;
    const key = table.words[at + 1];
    this.#mix(pane.keys, 2 * key * pane.keys.stride + 1, pane.keys.keyWords);
    this.#mix(table, at + 2, table.keyWords - 1);
  }

  #mix({ words }: KeyedTable, at: number, n: number): void {
    for (let k = at; k < at + n; k++) {
      this.low = finish(Math.imul(this.low, 0x85ebca6b) + words[k]);
      this.high = finish(Math.imul(this.high, 0xc2b2ae35) ^ words[k]);
    }
  }
}
