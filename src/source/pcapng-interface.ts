import { canonicalLinkType, maxCapturedLength } from './link-types.ts';

const MULTIPLY = 0;
const DIVIDE = 1;
const BINARY = 2;
const WIDE = 3;
/** The latest moment that a calendar of this runtime can show; a time beyond it is none. */
const MAX_TIME_US = 8.64e18;
const TWO_32 = 2 ** 32;

/** An interface of a pcapng section: what its packets are, and how its clock counts. */
export class CaptureInterface {
  /** Number within the whole input, from 0. */
  readonly index: number;
  readonly linkType: number;
  readonly snapLength: number;
  readonly maxLength: number;
  /** Digits of a second that times of this interface deserve. */
  readonly digits: 6 | 9;
  /** Losses that statistics blocks have told so far. */
  dropsByInterface = 0;
  dropsBySystem = 0;
  readonly #kind: number;
  readonly #unitsPerSecond: bigint;
  readonly #factor: number;
  readonly #nanoFactor: number;
  readonly #mask: number;
  readonly #offsetUs: number;

  /**
   * @param resolution if_tsresol: a negative power of ten, or with the top bit set of two
   * @param offsetSeconds if_tsoffset
   */
  constructor(index: number, linkType: number, snapLength: number, resolution: number, offsetSeconds: number) {
    this.index = index;
    this.linkType = canonicalLinkType(linkType);
    this.snapLength = snapLength;
    this.maxLength = maxCapturedLength(this.linkType);
    const exponent = resolution & 0x7f;
    const binary = resolution > 0x7f;
    this.digits = exponent > (binary ? 20 : 6) ? 9 : 6;
    this.#unitsPerSecond = (binary ? 2n : 10n) ** BigInt(exponent);
    this.#kind = binary ? (exponent <= 32 ? BINARY : WIDE) : exponent <= 6 ? MULTIPLY : exponent <= 9 ? DIVIDE : WIDE;
    this.#factor = binary ? 2 ** exponent : 10 ** Math.abs(exponent - 6);
    this.#nanoFactor = 10 ** (9 - exponent);
    this.#mask = exponent >= 32 ? 0xffffffff : 2 ** exponent - 1;
    this.#offsetUs = offsetSeconds * 1e6;
  }

  /** Writes the time of `high * 2^32 + low` units as whole microseconds and the nanoseconds below them. */
  setTime(timeUs: Float64Array, nanos: Uint16Array, n: number, high: number, low: number): void {
    let time = 0;
    let rest = 0;
    if (this.#kind === MULTIPLY) {
      time = (high * TWO_32 + low) * this.#factor;
    } else if (this.#kind === DIVIDE) {
      const quotient = Math.floor(high / this.#factor);
      const below = (high - quotient * this.#factor) * TWO_32 + low;
      const micros = Math.floor(below / this.#factor);
      time = quotient * TWO_32 + micros;
      rest = (below - micros * this.#factor) * this.#nanoFactor;
    } else if (this.#kind === BINARY) {
      const fraction = (low & this.#mask) >>> 0;
      const scaled = fraction * 1e6;
      const micros = Math.floor(scaled / this.#factor);
      time = ((high * TWO_32 + (low - fraction)) / this.#factor) * 1e6 + micros;
      rest = Math.floor(((scaled - micros * this.#factor) * 1000) / this.#factor);
    } else {
      const wide = this.#wide(high, low);
      time = wide.micros;
      rest = wide.nanos;
    }
    time += this.#offsetUs;
    timeUs[n] = time <= MAX_TIME_US && time >= -MAX_TIME_US ? time : Number.NaN;
    nanos[n] = rest;
  }

  /** Resolutions finer than a nanosecond need more than the 53 bits of a double; they are rare. */
  #wide(high: number, low: number): { micros: number; nanos: number } {
    const units = this.#unitsPerSecond;
    const ticks = (BigInt(high) << 32n) | BigInt(low);
    const seconds = ticks / units;
    const nanos = Number(((ticks - seconds * units) * 1_000_000_000n) / units);
    const micros = Math.floor(nanos / 1000);
    return { micros: Number(seconds) * 1e6 + micros, nanos: nanos - micros * 1000 };
  }
}
