import { formatUs } from '../core/time.ts';
import { formatAddress } from './address.ts';

/** Slots of each cache: a power of two. Traffic has few addresses and seconds at a time. */
const SLOTS = 4096;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Texts of addresses, times and MAC addresses, remembered: output asks for the same ones again and again. */
export class TextCache {
  readonly #addressWords = new Int32Array(4 * SLOTS);
  readonly #addresses: string[] = new Array(SLOTS).fill('');
  readonly #macs: string[] = new Array(SLOTS).fill('');
  readonly #macNumbers = new Float64Array(SLOTS).fill(-1);
  readonly #seconds: string[] = new Array(SLOTS).fill('');
  readonly #secondNumbers = new Float64Array(SLOTS).fill(-1);

  /** Text of the address at word `at` (`address.ts`). */
  address(words: Int32Array, at: number): string {
    const slot = (words[at + 3] ^ Math.imul(words[at] ^ words[at + 1] ^ words[at + 2], 0x9e3779b1)) & (SLOTS - 1);
    const kept = this.#addressWords;
    let same = this.#addresses[slot] !== '';
    for (let k = 0; k < 4; k++) {
      if (kept[4 * slot + k] === words[at + k]) continue;
      kept[4 * slot + k] = words[at + k];
      same = false;
    }
    if (!same) this.#addresses[slot] = formatAddress(words, at);
    return this.#addresses[slot];
  }

  /** As `formatUs`: ISO 8601 with six digits. */
  time(us: number): string {
    const second = Math.floor(us / 1e6);
    const slot = ((second % SLOTS) + SLOTS) % SLOTS;
    if (this.#secondNumbers[slot] !== second) {
      this.#secondNumbers[slot] = second;
      this.#seconds[slot] = formatUs(second * 1e6).slice(0, -7);
    }
    return `${this.#seconds[slot]}${String(1e6 + Math.round(us - second * 1e6)).slice(1)}Z`;
  }

  /** A 48-bit number as `00:0c:29:aa:bb:cc`. */
  mac(mac: number): string {
    const high = Math.floor(mac / 2 ** 32);
    const low = mac | 0;
    const slot = (low ^ high) & (SLOTS - 1);
    if (this.#macNumbers[slot] !== mac) {
      this.#macNumbers[slot] = mac;
      const bytes = [high >>> 8, high & 255, low >>> 24, (low >>> 16) & 255, (low >>> 8) & 255, low & 255];
      this.#macs[slot] = bytes.map((byte) => HEX[byte]).join(':');
    }
    return this.#macs[slot];
  }
}
