import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

/** Row numbers in order, each with the event time at which it is due. Holds as many as the table has rows. */
export class RowQueue implements Stateful {
  #rows: Int32Array;
  #dueUs: Float64Array;
  #head = 0;
  length = 0;

  constructor(capacity: number) {
    this.#rows = new Int32Array(capacity);
    this.#dueUs = new Float64Array(capacity);
  }

  /** Follows the table's growth. */
  resize(capacity: number): void {
    if (capacity === this.#rows.length) return;
    this.#unwind(capacity);
  }

  /** Moves the queue to the beginning of arrays of its own. */
  #unwind(capacity: number): void {
    const rows = new Int32Array(capacity);
    const dueUs = new Float64Array(capacity);
    for (let i = 0; i < this.length; i++) {
      const at = (this.#head + i) % this.#rows.length;
      rows[i] = this.#rows[at];
      dueUs[i] = this.#dueUs[at];
    }
    this.#rows = rows;
    this.#dueUs = dueUs;
    this.#head = 0;
  }

  save(out: StateWriter): void {
    this.#unwind(this.#rows.length);
    out.array(this.#rows, 0, this.length);
    out.array(this.#dueUs, 0, this.length);
  }

  restore(state: StateReader): void {
    this.#head = 0;
    this.length = state.into(this.#rows);
    state.into(this.#dueUs);
  }

  clear(): void {
    this.length = 0;
  }

  push(row: number, dueUs: number): void {
    const at = (this.#head + this.length) % this.#rows.length;
    this.#rows[at] = row;
    this.#dueUs[at] = dueUs;
    this.length++;
  }

  /** Takes the first rows whose time is over into `rows`, up to the first whose time is not. @returns how many */
  take(nowUs: number, rows: Int32Array): number {
    let count = 0;
    while (count < rows.length && this.length > 0 && this.#dueUs[this.#head] < nowUs) {
      rows[count++] = this.#rows[this.#head];
      this.#head = (this.#head + 1) % this.#rows.length;
      this.length--;
    }
    return count;
  }
}
