import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

const HOURS = 24;
const HOUR_US = 3_600_000_000;
const HOUR_RATE = 0.01;
const DEPARTURE_RATE = 0.01;

/** The usual value of each hour of the day (UTC) and the present departure from it, in the unit of the series. */
export class DayProfile implements Stateful {
  private readonly hours = new Float64Array(HOURS).fill(Number.NaN);
  private departure = 0;

  /** NaN for an hour not seen yet. */
  expected(timeUs: number): number {
    return this.hours[hourOf(timeUs)] + this.departure;
  }

  learn(timeUs: number, value: number): void {
    const hour = hourOf(timeUs);
    const usual = this.hours[hour];
    this.hours[hour] = Number.isNaN(usual)
      ? value - this.departure
      : usual + HOUR_RATE * (value - this.departure - usual);
    this.departure += DEPARTURE_RATE * (value - this.hours[hour] - this.departure);
  }

  save(out: StateWriter): void {
    out.array(this.hours);
    out.number(this.departure);
  }

  restore(state: StateReader): void {
    state.into(this.hours);
    this.departure = state.number();
  }
}

function hourOf(timeUs: number): number {
  return (((Math.floor(timeUs / HOUR_US) % HOURS) + HOURS) % HOURS) | 0;
}
