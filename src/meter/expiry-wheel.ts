import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { HOT_SHIFT, IN_WHEEL, KIND, STATE } from './flow-row.ts';
import type { FlowTable } from './flow-table.ts';
import { lastUs } from './flow-writer.ts';

const BUCKET_US = 5e6;
const MOST_BUCKETS = 64;

/**
 * Which flows to look at when event time moves on. Each row stands in one list, that of a bucket of 5 s (longer for
 * long timeouts); a packet does not move it. When all that a bucket could hold is idle for longer than the timeout,
 * its rows are looked at: a flow with later packets goes to their bucket, an idle one leaves. So the cost is
 * one look a flow and timeout, whatever its packets.
 */
export class ExpiryWheel implements Stateful {
  readonly #table: FlowTable;
  readonly #idleUs: number;
  readonly #widthUs: number;
  /** Row + 1 at the head and at the tail of each list. */
  readonly #heads = new Int32Array(2 * MOST_BUCKETS);
  readonly #tails = new Int32Array(2 * MOST_BUCKETS);
  /** Row + 1 of the next row in the same list, by row: apart from the rows, so that a list is walked in few cache lines. */
  #links: Int32Array;
  #next = Number.NaN;

  constructor(table: FlowTable, idleUs: number) {
    this.#table = table;
    this.#idleUs = idleUs;
    this.#widthUs = Math.max(BUCKET_US, Math.ceil(idleUs / MOST_BUCKETS));
    this.#links = new Int32Array(table.capacity);
  }

  /** Appends a row to the list of `timeUs`, which is not before the last `due`. */
  insert(row: number, timeUs: number): void {
    const bucket = Math.floor(timeUs / this.#widthUs);
    if (Number.isNaN(this.#next)) this.#next = bucket;
    const at = bucket % this.#heads.length;
    this.#links[row] = 0;
    if (this.#heads[at] === 0) this.#heads[at] = row + 1;
    else this.#links[this.#tails[at] - 1] = row + 1;
    this.#tails[at] = row + 1;
  }

  /** Follows the table's growth. */
  resize(capacity: number): void {
    const links = new Int32Array(capacity);
    links.set(this.#links);
    this.#links = links;
  }

  /** Copies rows of a list, from `first` (row + 1) on, into `rows`. @returns how many */
  walk(first: number, rows: Int32Array): number {
    let count = 0;
    for (let next = first; next > 0 && count < rows.length; next = this.#links[next - 1]) rows[count++] = next - 1;
    return count;
  }

  /** Row + 1 of the row behind `row` in its list, 0 for none. */
  behind(row: number): number {
    return this.#links[row];
  }

  /** Detaches the next list whose rows may all be idle at `nowUs`: its first row + 1, 0 for an empty one, -1 when none is due. */
  due(nowUs: number): number {
    const limit = Math.floor((nowUs - this.#idleUs) / this.#widthUs) - 1;
    if (!(this.#next <= limit)) return -1;
    this.#next = Math.max(this.#next, limit - this.#heads.length + 1);
    const at = this.#next++ % this.#heads.length;
    const first = this.#heads[at];
    this.#heads[at] = 0;
    return first;
  }

  save(out: StateWriter): void {
    out.number(this.#widthUs);
    out.number(this.#next);
    out.array(this.#heads);
    out.array(this.#tails);
    out.array(this.#links, 0, this.#table.used);
  }

  /** After the table. Another idle timeout may have other buckets: then rows are sorted in anew. */
  restore(state: StateReader): void {
    const widthUs = state.number();
    this.#next = state.number();
    state.into(this.#heads);
    state.into(this.#tails);
    this.#links = new Int32Array(this.#table.capacity);
    state.into(this.#links);
    if (widthUs === this.#widthUs || Number.isNaN(this.#next)) return;
    const fromUs = this.#next * widthUs;
    this.clear();
    this.#next = Math.floor(fromUs / this.#widthUs);
    this.#insertAll(fromUs);
  }

  #insertAll(fromUs: number): void {
    const { hot, used } = this.#table;
    for (let row = 0; row < used; row++) {
      const o = row << HOT_SHIFT;
      if ((hot[o + STATE] & IN_WHEEL) === 0) continue;
      if (hot[o + KIND] === 0) hot[o + STATE] &= ~IN_WHEEL;
      else this.insert(row, Math.max(fromUs, lastUs(this.#table, row)));
    }
  }

  /** Forgets all rows. */
  clear(): void {
    this.#heads.fill(0);
    this.#next = Number.NaN;
  }
}
