import type { Stateful, StateReader, StateWriter } from './state.ts';

/**
 * Strings as small integers, so that batches can carry names. Id 0 is "none". Ids are never used twice: when the
 * table is full the oldest string leaves (counted in `evicted`), and its id answers `''` from then on.
 */
export class StringTable implements Stateful {
  readonly capacity: number;
  evicted = 0;
  readonly #ids = new Map<string, number>();
  readonly #texts: string[];
  #next = 1;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#texts = [''];
  }

  intern(text: string): number {
    if (text === '') return 0;
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#next++;
    const slot = id % this.capacity;
    if (id >= this.capacity) {
      this.#ids.delete(this.#texts[slot]);
      this.evicted++;
    }
    this.#texts[slot] = text;
    this.#ids.set(text, id);
    return id;
  }

  text(id: number): string {
    return this.holds(id) ? this.#texts[id % this.capacity] : '';
  }

  /** False for an id that never had a text, or whose text left. */
  holds(id: number): boolean {
    return id >= this.#oldest && id < this.#next;
  }

  /** The newest id; 0 before the first. */
  get last(): number {
    return this.#next - 1;
  }

  /** The texts of all ids after `id`, in order; '' for those that left already. */
  after(id: number): string[] {
    return Array.from({ length: this.last - id }, (_, i) => this.text(id + 1 + i));
  }

  /** The oldest id that has a text. */
  get #oldest(): number {
    return Math.max(1, this.#next - this.capacity);
  }

  save(out: StateWriter): void {
    const texts: string[] = [];
    for (let id = this.#oldest; id < this.#next; id++) texts.push(this.text(id));
    out.number(this.#next);
    out.number(this.evicted);
    out.json(texts);
  }

  restore(state: StateReader): void {
    const next = state.number();
    this.evicted = state.number();
    const texts = state.json<string[]>().slice(-this.capacity);
    this.#ids.clear();
    this.#next = next - texts.length;
    for (const text of texts) {
      this.#texts[this.#next % this.capacity] = text;
      this.#ids.set(text, this.#next++);
    }
  }
}
