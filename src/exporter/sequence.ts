/** A gap longer than this is a new beginning, not loss. */
const LONGEST_GAP = 2 ** 24;
/** Datagrams this far behind are late; a sequence that stays behind began anew. */
const MOST_LATE = 3;

/**
 * Sequence numbers of one stream of datagrams. Exporters count records or datagrams, and not all as their version says,
 * so both ways of counting are known and the one that fits is kept.
 */
export class Sequence {
  /** In the exporter's own unit: records (v5, IPFIX) or datagrams (v9, sFlow). */
  lost = 0;
  late = 0;
  #last = -1;
  #units = 0;
  #other = 0;
  #countsOther = false;
  #behind = 0;

  /**
   * Takes the number of a datagram that moves the count by `units`, or by `other` where the exporter counts its own way;
   * -1 is "nobody knows" (records of an unknown template). @returns what was lost before it
   */
  take(number: number, units: number, other: number): number {
    const last = this.#last;
    if (last < 0 || this.#units < 0) return this.#follow(number, units, other);
    const step = (number - last) >>> 0;
    if (step === this.#units) this.#countsOther = false;
    else if (step === this.#other) this.#countsOther = true;
    const gap = (step - (this.#countsOther ? this.#other : this.#units)) | 0;
    if (gap < 0 && gap > -LONGEST_GAP && ++this.#behind <= MOST_LATE) {
      this.late++;
      return 0;
    }
    this.#follow(number, units, other);
    if (gap <= 0 || gap > LONGEST_GAP) return 0;
    this.lost += gap;
    return gap;
  }

  /** The exporter started anew: the next number is the first. */
  reset(): void {
    this.#last = -1;
  }

  #follow(number: number, units: number, other: number): 0 {
    this.#last = number;
    this.#units = units;
    this.#other = other;
    this.#behind = 0;
    return 0;
  }

  toJson(): number[] {
    return [this.lost, this.late, this.#last, this.#units, this.#other, Number(this.#countsOther)];
  }

  static fromJson([lost, late, last, units, other, counts]: number[]): Sequence {
    const sequence = new Sequence();
    sequence.lost = lost;
    sequence.late = late;
    sequence.#last = last;
    sequence.#units = units;
    sequence.#other = other;
    sequence.#countsOther = counts === 1;
    return sequence;
  }
}
