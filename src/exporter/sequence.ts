/** A gap longer than this is a new beginning, not loss. */
const LONGEST_GAP = 2 ** 24;
/** Datagrams this far behind are late; a sequence that stays behind began anew. */
const MOST_LATE = 3;

/** What a number counts: records (or datagrams) before this one (0), the other kind (1), or records with this one's. */
const BEFORE = 0;
const INCLUDED = 2;

/**
 * Sequence numbers of one stream of datagrams. Exporters count records or datagrams, before or with the datagram at
 * hand, and not all as their version says: every way of counting is known and the one that fits is kept.
 */
export class Sequence {
  /** In the exporter's own unit: records (v5, IPFIX) or datagrams (v9, sFlow). */
  lost = 0;
  late = 0;
  #last = -1;
  #units = 0;
  #other = 0;
  #options = 0;
  #way = BEFORE;
  #behind = 0;

  /**
   * Takes the number of a datagram that moves the count by `units`, or by `other` where the exporter counts its own way;
   * -1 is "nobody knows" (records of an unknown template). Some count no options records: `options` of `units`.
   * @returns what was lost before it
   */
  take(number: number, units: number, other: number, options = 0): number {
    const last = this.#last;
    if (last < 0 || this.#units < 0) return this.#follow(number, units, other, options);
    const step = (number - last) >>> 0;
    const steps = [this.#units, this.#other, units];
    if (step !== steps[this.#way]) {
      const way = steps.indexOf(step);
      if (way >= 0) this.#way = way;
    }
    const gap = (step - steps[this.#way]) | 0;
    const uncounted = this.#way === INCLUDED ? options : this.#options;
    if (gap === -uncounted) return this.#follow(number, units, other, options);
    if (gap < 0 && gap > -LONGEST_GAP && ++this.#behind <= MOST_LATE) {
      this.late++;
      return 0;
    }
    this.#follow(number, units, other, options);
    if (gap <= 0 || gap > LONGEST_GAP || (this.#way === INCLUDED && units < 0)) return 0;
    this.lost += gap;
    return gap;
  }

  /** The exporter started anew: the next number is the first. */
  reset(): void {
    this.#last = -1;
  }

  #follow(number: number, units: number, other: number, options: number): 0 {
    this.#last = number;
    this.#units = units;
    this.#other = other;
    this.#options = options;
    this.#behind = 0;
    return 0;
  }

  toJson(): number[] {
    return [this.lost, this.late, this.#last, this.#units, this.#other, this.#way, this.#options, this.#behind];
  }

  static fromJson([lost, late, last, units, other, way, options, behind]: number[]): Sequence {
    const sequence = new Sequence();
    sequence.lost = lost;
    sequence.late = late;
    sequence.#last = last;
    sequence.#units = units;
    sequence.#other = other;
    sequence.#way = way;
    sequence.#options = options;
    sequence.#behind = behind;
    return sequence;
  }
}
