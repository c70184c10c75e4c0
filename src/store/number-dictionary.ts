/** Places of the index at the start; it grows with what is entered. */
const FEWEST_PLACES = 256;
const MULTIPLIER = 0x9e3779b1;

/** Gives each number an entry, in the order in which they come; numbers are told apart by their bits. To be used again and again. */
export class NumberDictionary {
  /** The numbers entered: entry `n` is the `n`-th. */
  values = new Float64Array(FEWEST_PLACES / 2);
  length = 0;
  #words = new Int32Array(this.values.buffer);
  /** Entry + 1; 0 is a free place. At most half are taken. */
  #places = new Int32Array(FEWEST_PLACES);

  /**
   * Enters the first `count` of `numbers` and notes the entry of each in `entries`.
   * @returns false when there are more than `most` different ones: then `entries` is not complete
   */
  enter(numbers: Float64Array, count: number, entries: Int32Array, most: number): boolean {
    this.#clear();
    const words = new Int32Array(numbers.buffer, numbers.byteOffset, 2 * count);
    let [places, own] = [this.#places, this.#words];
    let shift = Math.clz32(places.length) + 1;
    for (let i = 0; i < count; i++) {
      const low = words[2 * i];
      const high = words[2 * i + 1];
      let place = hash(low, high) >>> shift;
      let entry = places[place] - 1;
      while (entry >= 0 && (own[2 * entry] !== low || own[2 * entry + 1] !== high)) {
        place = (place + 1) & (places.length - 1);
        entry = places[place] - 1;
      }
      if (entry < 0) {
        if (this.length === most) return false;
        entry = this.length++;
        this.values[entry] = numbers[i];
        places[place] = entry + 1;
        if (2 * this.length === places.length) {
          this.#grow();
          [places, own] = [this.#places, this.#words];
          shift = Math.clz32(places.length) + 1;
        }
      }
      entries[i] = entry;
    }
    return true;
  }

  #clear(): void {
    this.length = 0;
    if (this.#places.length === FEWEST_PLACES) this.#places.fill(0);
    else this.#places = new Int32Array(FEWEST_PLACES);
  }

  /** Four times the places. */
  #grow(): void {
    const size = 4 * this.#places.length;
    this.#places = new Int32Array(size);
    if (2 * this.values.length < size) {
      const grown = new Float64Array(size / 2);
      grown.set(this.values);
      this.values = grown;
      this.#words = new Int32Array(grown.buffer);
    }
    const shift = Math.clz32(size) + 1;
    for (let entry = 0; entry < this.length; entry++) {
      let place = hash(this.#words[2 * entry], this.#words[2 * entry + 1]) >>> shift;
      while (this.#places[place] !== 0) place = (place + 1) & (size - 1);
      this.#places[place] = entry + 1;
    }
  }
}

/** Its upper bits depend on all bits of the number. */
function hash(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, MULTIPLIER), MULTIPLIER);
}
