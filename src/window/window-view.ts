import { giveBack } from '../core/buffer-pool.ts';
import type { KeyedTable } from './keyed-table.ts';
import type { PairTable, Pane } from './pane.ts';

/** A pane that is part of a window, with the window's row of each of its keys and pairs. */
export interface Part {
  pane: Pane;
  /** Null: the pane is the window, or waits to be looked through (`ChosenKeys`). */
  keyRows: Int32Array | null;
  pairRows: Int32Array[];
  /** Rows that a gate let through. */
  hot?: Int32Array;
}

/** Nobody needs the lists of a part's rows any more. */
export function giveBackRows({ keyRows, pairRows }: Part): void {
  if (keyRows !== null) giveBack(keyRows);
  for (const rows of pairRows) giveBack(rows);
}

/** The keys of one closed window, as measures look at them. Valid until the results were taken. */
export class WindowView {
  readonly keys: KeyedTable;
  readonly pairs: PairTable[];
  readonly parts: readonly Part[];
  readonly rows: Int32Array;
  readonly length: number;
  readonly #grouped = new Map<number, { starts: Int32Array; order: Int32Array }>();

  /** @param rows of the window's keys, each once */
  constructor(window: Pane, parts: readonly Part[], rows: Int32Array) {
    this.keys = window.keys;
    this.pairs = window.pairs;
    this.parts = parts;
    this.rows = rows;
    this.length = rows.length;
  }

  /** Pair rows of one key. */
  pairsOf(pair: number, row: number): Int32Array {
    let group = this.#grouped.get(pair);
    if (!group) {
      group = groupByKey(this.pairs[pair].table, this.keys.count);
      this.#grouped.set(pair, group);
    }
    return group.order.subarray(group.starts[row], group.starts[row + 1]);
  }

  /** All sketches of the window's panes, with the window's row of their key. */
  eachSketch(pair: number, visit: (row: number, registers: Uint8Array) => void): void {
    for (const { pane, keyRows } of this.parts) {
      for (const [row, registers] of pane.pairs[pair].sketches) {
        const own = keyRows === null ? row : keyRows[row];
        if (own >= 0) visit(own, registers);
      }
    }
  }
}

/** Counting sort of live pairs by the row of their key. */
function groupByKey(table: KeyedTable, keys: number): { starts: Int32Array; order: Int32Array } {
  const starts = new Int32Array(keys + 2);
  const { doubles, words, stride, first, count } = table;
  for (let p = 0; p < count; p++) if (doubles[p * stride + first] > 0) starts[words[2 * p * stride + 1] + 2]++;
  for (let k = 2; k < starts.length; k++) starts[k] += starts[k - 1];
  const order = new Int32Array(starts[starts.length - 1]);
  for (let p = 0; p < count; p++) {
    if (doubles[p * stride + first] > 0) order[starts[words[2 * p * stride + 1] + 1]++] = p;
  }
  return { starts, order };
}
