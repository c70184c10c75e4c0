import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

const WRAP_32 = 2 ** 32;
/** Readings farther apart than this many usual distances say nothing of one step. */
const MOST_STEPS = 2;

/**
 * Rate of a counter that is read now and then (interface octets, RFC 2863). NaN, never zero, where it cannot be told: the
 * first reading, a gap, a reset. A 32-bit wrap is believed only when the rate it gives is one the interface can have.
 */
export class CounterRate implements Stateful {
  private readonly stepUs: number;
  private readonly mostPerSecond: number;
  private readonly bits: 32 | 64;
  private timeUs = Number.NaN;
  private reading = Number.NaN;
  private uptimeUs = Number.NaN;

  /** `mostPerSecond` is the highest possible rate, 0 when unknown: then no wrap is believed. */
  constructor(options: { stepUs: number; bits: 32 | 64; mostPerSecond?: number }) {
    this.stepUs = options.stepUs;
    this.bits = options.bits;
    this.mostPerSecond = options.mostPerSecond ?? 0;
  }

  /** The rate a second since the last reading. An uptime of the device that is less than before is a reset; `mostPerSecond` may be told anew. */
  update(timeUs: number, reading: number, uptimeUs = Number.NaN, mostPerSecond = this.mostPerSecond): number {
    const seconds = (timeUs - this.timeUs) / 1e6;
    let change = reading - this.reading;
    const restarted = uptimeUs < this.uptimeUs;
    const wrapped = (change + WRAP_32) / seconds;
    const wraps = change < 0 && this.bits === 32 && this.reading < WRAP_32;
    if (wraps && wrapped >= 0 && wrapped <= mostPerSecond) change += WRAP_32;
    this.timeUs = timeUs;
    this.reading = reading;
    this.uptimeUs = uptimeUs;
    const known = change >= 0 && seconds > 0 && seconds * 1e6 <= MOST_STEPS * this.stepUs && !restarted;
    return known ? change / seconds : Number.NaN;
  }

  save(out: StateWriter): void {
    out.array(Float64Array.of(this.timeUs, this.reading, this.uptimeUs));
  }

  restore(state: StateReader): void {
    [this.timeUs, this.reading, this.uptimeUs] = state.array(Float64Array);
  }
}
