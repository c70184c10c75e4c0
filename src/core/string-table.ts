/**
 * Strings as small integers, so that batches can carry names. Id 0 is "none". Ids are never used twice: when the
 * table is full the oldest string leaves (counted in `evicted`), and its id answers `''` from then on.
 */
export class StringTable {
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
    if (id <= 0 || id >= this.#next || id <= this.#next - 1 - this.capacity) return '';
    return this.#texts[id % this.capacity];
  }
}
