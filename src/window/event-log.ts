import { giveBack, takeDoubles, takeWords } from '../core/buffer-pool.ts';
import { momentOrder } from '../core/moment-order.ts';
import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';

/** Events of one pane: about 50 MB. */
const MOST = 1 << 21;

/**
 * Single events of keys in arrival order: row of the key, hash of the tuple, moment, size. Grows to a limit; the owner
 * resets it every pane.
 */
export class EventLog implements Stateful {
  length = 0;
  /** Events that had no room, ever. */
  dropped = 0;
  key = new Int32Array(64);
  print = new Int32Array(64);
  moment = new Float64Array(64);
  size = new Float64Array(64);

  /** Appends `n` events. */
  addAll(n: number, keys: Int32Array, hashes: Int32Array, amounts: readonly Float64Array[]): void {
    while (this.length + n > this.key.length && this.key.length < MOST) this.#grow();
    const fit = Math.min(n, this.key.length - this.length);
    this.dropped += n - fit;
    for (let q = 0; q < fit; q++) {
      const at = this.length++;
      this.key[at] = keys[q];
      this.print[at] = hashes[q];
      this.moment[at] = amounts[0][q];
      this.size[at] = amounts[1][q];
    }
  }

  /** Makes room for `n` events more, which the caller appends itself. */
  reserve(n: number): void {
    while (this.length + n > this.key.length) this.#grow();
  }

  #grow(): void {
    const { key, print, moment, size } = this;
    const length = 2 * key.length;
    this.key = takeWords(length);
    this.print = takeWords(length);
    this.moment = takeDoubles(length);
    this.size = takeDoubles(length);
    this.key.set(key);
    this.print.set(print);
    this.moment.set(moment);
    this.size.set(size);
    for (const old of [key, print, moment, size]) giveBack(old);
  }

  /** After keys moved: events of keys that left (-1) go. */
  rename(places: Int32Array): void {
    let to = 0;
    for (let i = 0; i < this.length; i++) {
      const place = places[this.key[i]];
      if (place < 0) continue;
      this.key[to] = place;
      this.print[to] = this.print[i];
      this.moment[to] = this.moment[i];
      this.size[to++] = this.size[i];
    }
    this.length = to;
  }

  /**
   * Positions by moment, then size: the order in which rows came does not matter. To be given back to the pool.
   * @param sized false: all are of one size
   */
  inOrder(sized = true): Int32Array {
    const { moment, size } = this;
    const order = momentOrder(moment, this.length);
    if (!sized) return order;
    for (let from = 0, to = 0; from < order.length; from = to) {
      for (to = from + 1; to < order.length && moment[order[to]] === moment[order[from]]; ) to++;
      if (to - from > 1) order.subarray(from, to).sort((x, y) => size[x] - size[y]);
    }
    return order;
  }

  reset(): void {
    this.length = 0;
  }

  save(out: StateWriter): void {
    out.number(this.length);
    out.number(this.dropped);
    for (const column of this.#columns()) out.array(column, 0, this.length);
  }

  restore(state: StateReader): void {
    this.reset();
    const length = state.number();
    if (!(length <= MOST)) throw damaged(`${length} events are too many`);
    while (this.key.length < length) this.#grow();
    this.dropped = state.number();
    for (const column of this.#columns()) state.into(column);
    this.length = length;
  }

  #columns(): (Int32Array | Float64Array)[] {
    return [this.key, this.print, this.moment, this.size];
  }
}
