import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type {
  Capacity,
  ForecasterFactory,
  ForecastPoint,
  LoadForecast,
  LoadForecaster,
  WhatIf,
} from '../model/series.ts';
import { DAY_US } from './steps.ts';
import { plus } from './what-if.ts';

const HOUR_US = DAY_US / 24;
/** A year's clock changes and some: offsets are asked for once an hour. */
const MOST_OFFSETS = 20_000;
/** Rate at which the usual holiday follows the latest ones. */
const RATE = 0.15;
/** Scatter of a holiday's departure, in log space, before any was seen. */
const FIRST_SCATTER = 0.35;

export interface CalendarOptions {
  /** Days that are like no other, `2026-12-25`, in local time. */
  holidays?: readonly string[] | ReadonlySet<string>;
  /** IANA name of the time zone whose clock people follow (`Europe/Berlin`); default UTC. */
  zone?: string;
}

/**
 * A forecaster that knows the calendar. Its inner one lives in local time, so that yesterday's hour is the same hour on the
 * days a clock changes. A holiday does not teach it: the inner one sees it as missing, and its departure from what was
 * expected is kept for each hour of the day and applied to holidays to come, with an interval as wide as they differ.
 */
export class CalendarForecaster implements LoadForecaster {
  readonly #inner: LoadForecaster;
  readonly #holidays: ReadonlySet<string>;
  readonly #zone: ZoneClock | null;
  readonly #departure = new HolidayDeparture();
  /** Local time of the newest step. */
  #lastUs = Number.NEGATIVE_INFINITY;

  /** Throws a `RangeError` for a zone that nobody knows. */
  constructor(inner: LoadForecaster, { holidays = [], zone }: CalendarOptions) {
    this.#inner = inner;
    this.#holidays = holidays instanceof Set ? holidays : new Set(holidays);
    this.#zone = zone === undefined ? null : clockOf(zone);
  }

  update(timeUs: number, value: number): void {
    const localUs = this.#toLocal(timeUs);
    this.#lastUs = Math.max(this.#lastUs, localUs);
    if (!this.#isHoliday(localUs)) {
      this.#inner.update(localUs, value);
      return;
    }
    const usual = this.#inner.forecast(this.#stepsTo(localUs)).points.at(-1);
    if (usual && value > 0) this.#departure.learn(localUs, Math.log(value / usual.expected));
    this.#inner.update(localUs, Number.NaN);
  }

  forecast(steps: number, { growth, add = 0 }: WhatIf = {}): LoadForecast {
    const behind = Number.isFinite(this.#lastUs) ? this.#stepsTo(this.#lastUs) : 0;
    const forecast = this.#inner.forecast(behind + steps, { growth });
    const points = forecast.points.slice(behind).map((point) => {
      const moved = this.#isHoliday(point.timeUs) ? this.#departure.apply(point) : point;
      return { ...(add === 0 ? moved : plus(moved, add)), timeUs: this.#toUtc(point.timeUs) };
    });
    return { ...forecast, points };
  }

  /** Days of the answer begin in local time. */
  capacity(threshold: number, horizonUs: number, seed?: number, whatIf?: WhatIf): Capacity {
    return this.#inner.capacity(threshold, horizonUs, seed, whatIf);
  }

  save(out: StateWriter): void {
    out.number(this.#lastUs);
    this.#departure.save(out);
    this.#inner.save(out);
  }

  restore(state: StateReader): void {
    this.#lastUs = state.number();
    this.#departure.restore(state);
    this.#inner.restore(state);
  }

  /** The inner one's path begins behind the last step that it learned, which a holiday is not. */
  #stepsTo(localUs: number): number {
    const { points, stepUs } = this.#inner.forecast(1);
    return points.length > 0 ? Math.max(0, Math.round((localUs - points[0].timeUs) / stepUs) + 1) : 0;
  }

  #isHoliday(localUs: number): boolean {
    return this.#holidays.size > 0 && this.#holidays.has(new Date(localUs / 1000).toISOString().slice(0, 10));
  }

  #toLocal(timeUs: number): number {
    return this.#zone === null ? timeUs : timeUs + this.#zone.offsetUs(timeUs);
  }

  #toUtc(localUs: number): number {
    if (this.#zone === null) return localUs;
    const guess = localUs - this.#zone.offsetUs(localUs);
    return localUs - this.#zone.offsetUs(guess);
  }
}

/** ln of the share that holidays had of what was expected, an hour of the day each, and how much they differ. */
class HolidayDeparture implements Stateful {
  readonly #hours = new Float64Array(24);
  readonly #numbers = Float64Array.of(0, FIRST_SCATTER ** 2);

  learn(localUs: number, off: number): void {
    const hour = hourOf(localUs);
    const n = ++this.#numbers[0];
    const rate = Math.max(RATE, 1 / Math.ceil(n / 24));
    const miss = off - this.#hours[hour];
    this.#hours[hour] += rate * miss;
    // The first holiday teaches what is usual; from the second on its misses say how usual that is.
    if (n > 24) this.#numbers[1] += (RATE / 4) * (miss * miss - this.#numbers[1]);
  }

  apply(point: ForecastPoint): ForecastPoint {
    const share = Math.exp(this.#hours[hourOf(point.timeUs)]);
    const scatter = Math.sqrt(this.#numbers[1]);
    const low = (bound: number, z: number) => share * point.expected * Math.exp(-Math.hypot(width(bound), z * scatter));
    const high = (bound: number, z: number) => share * point.expected * Math.exp(Math.hypot(width(bound), z * scatter));
    const width = (bound: number) => Math.min(50, Math.abs(Math.log(bound / point.expected)) || 0);
    return {
      timeUs: point.timeUs,
      expected: share * point.expected,
      low80: low(point.low80, 1.28),
      high80: high(point.high80, 1.28),
      low95: low(point.low95, 1.96),
      high95: high(point.high95, 1.96),
    };
  }

  save(out: StateWriter): void {
    out.array(this.#hours);
    out.array(this.#numbers);
  }

  restore(state: StateReader): void {
    state.into(this.#hours);
    state.into(this.#numbers);
  }
}

function hourOf(localUs: number): number {
  return Math.floor((localUs % DAY_US) / HOUR_US);
}

/** Forecasters that know a calendar; all of them share it. */
export function calendarForecasters(
  inner: ForecasterFactory,
  { holidays = [], zone }: CalendarOptions,
): ForecasterFactory {
  const calendar = { holidays: new Set(holidays), zone };
  return {
    calendar: zone ?? 'UTC',
    create: (options) => new CalendarForecaster(inner.create(options), calendar),
  };
}

/** Whether it is the name of a time zone. */
export function isZone(name: string): boolean {
  try {
    clockOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Turns times into those of a zone's clock. Throws a `RangeError` for a zone that nobody knows. */
export function localTimes(zone: string): (timeUs: number) => number {
  const clock = clockOf(zone);
  return (timeUs) => timeUs + clock.offsetUs(timeUs);
}

const clocks = new Map<string, ZoneClock>();
const MOST_CLOCKS = 64;

/** One clock for all who follow it. */
function clockOf(zone: string): ZoneClock {
  const clock = clocks.get(zone) ?? new ZoneClock(zone);
  if (clocks.size < MOST_CLOCKS) clocks.set(zone, clock);
  return clock;
}

/** What a zone's clocks are ahead of UTC. */
class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' });
  }

  offsetUs(timeUs: number): number {
    const hour = Math.floor(timeUs / HOUR_US);
    const known = this.#offsets.get(hour);
    if (known !== undefined) return known;
    if (this.#offsets.size >= MOST_OFFSETS) this.#offsets.clear();
    const offset = this.#ask(hour * HOUR_US);
    this.#offsets.set(hour, offset);
    return offset;
  }

  /** From `GMT+05:30`; `GMT` alone is none. */
  #ask(timeUs: number): number {
    const parts = this.#format.formatToParts(new Date(timeUs / 1000));
    const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const match = /([+-])(\d{2}):(\d{2})/.exec(text);
    if (!match) return 0;
    return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * HOUR_US + (Number(match[3]) * HOUR_US) / 60);
  }
}
