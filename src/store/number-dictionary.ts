/** Places of the index at the start; it grows with what is entered. */
const FEWEST_PLACES = 256;
/** Whole numbers below this have a place of their own. */
const SMALL = 1 << 17;
const MULTIPLIER = 0x9e3779b1;

/** Gives each number an entry, in the order in which they come; numbers are told apart by their bits. To be used again and again. */
export class NumberDictionary {
  /** The numbers entered: entry `n` is the `n`-th. */
  values = new Float64Array(FEWEST_PLACES / 2);
  length = 0;
  #words = new Int32Array(this.values.buffer);
  /** Entry + 1; 0 is a free place. At most half are taken. */
  #places = new Int32Array(FEWEST_PLACES);
  /** Entry + 1 of each small number; all free between two calls. */
  readonly #small = new Int32Array(SMALL);

  /**
   * Enters the first `count` of `numbers` and notes the entry of each in `entries`.
   * @param highest whole numbers from 0 to here; infinite when that is not so
   * @returns false when there are more than `most` different ones: then `entries` is not complete
   */
  enter(numbers: Float64Array, count: number, entries: Int32Array, most: number, highest: number): boolean {
    this.length = 0;
    if (highest < SMALL) return this.#enterSmall(numbers, count, entries, most);
    if (this.#places.length === FEWEST_PLACES) this.#places.fill(0);
    else this.#places = new Int32Array(FEWEST_PLACES);
    return this.#enterAny(numbers, count, entries, most);
  }

  #enterSmall(numbers: Float64Array, count: number, entries: Int32Array, most: number): boolean {
    const small = this.#small;
    let fits = true;
    for (let i = 0; i < count; i++) {
      const number = numbers[i] | 0;
      let place = small[number];
      if (place === 0) {
        fits = this.length < most;
        if (!fits) break;
        place = this.#add(number);
        small[number] = place;
      }
      entries[i] = place - 1;
    }
    for (let entry = 0; entry < this.length; entry++) small[this.values[entry]] = 0;
    return fits;
  }

  #enterAny(numbers: Float64Array, count: number, entries: Int32Array, most: number): boolean {
    const words = new Int32Array(numbers.buffer, numbers.byteOffset, 2 * count);
    for (let i = 0; i < count; i++) {
      const place = this.#find(words[2 * i], words[2 * i + 1]);
      if (this.#places[place] === 0) {
        if (this.length === most) return false;
        this.#places[place] = this.#add(numbers[i]);
        entries[i] = this.length - 1;
        if (2 * this.length === this.#places.length) this.#grow();
      } else entries[i] = this.#places[place] - 1;
    }
    return true;
  }

  /** The place of a number with these words, or the one that it would take. */
  #find(low: number, high: number): number {
    const [places, own] = [this.#places, this.#words];
    let place = hash(low, high) >>> (Math.clz32(places.length) + 1);
    for (;;) {
      const entry = places[place] - 1;
      if (entry < 0 || (own[2 * entry] === low && own[2 * entry + 1] === high)) return place;
      place = (place + 1) & (places.length - 1);
    }
  }

  /** @returns how many there are */
  #add(number: number): number {
    if (this.length === this.values.length) {
      const grown = new Float64Array(4 * this.length);
      grown.set(this.values);
      this.values = grown;
      this.#words = new Int32Array(grown.buffer);
    }
    this.values[this.length] = number;
    return ++this.length;
  }

  /** Four times the places. */
  #grow(): void {
    this.#places = new Int32Array(4 * this.#places.length);
    for (let entry = 0; entry < this.length; entry++) {
      this.#places[this.#find(this.#words[2 * entry], this.#words[2 * entry + 1])] = entry + 1;
    }
  }
}

/** Its upper bits depend on all bits of the number. */
function hash(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, MULTIPLIER), MULTIPLIER);
}
