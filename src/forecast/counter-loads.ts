import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';
import type { CounterFacts } from '../model/intake.ts';
import { CounterRate } from './counter.ts';
import { LOAD_STEP_US } from './load-plans.ts';

/** Counters followed at once; past it new ones are refused. */
const MOST = 10_000;
/** A counter that an interface does not have is all ones (sFlow version 5, "Counter Samples"). */
const ABSENT = 2 ** 64;
const NAME = /^(\S+) (\d+) if(In|Out)Octets$/;
/** A step of which less is known is missing. */
const LEAST_SHARE = 0.5;
const NUMBERS = 4;

/** Takes what an interface carried one way between two readings. */
export type ReadingSink = (
  exporter: string,
  port: number,
  way: 'in' | 'out',
  fromUs: number,
  untilUs: number,
  octets: number,
) => void;

/** Takes bit/s of the step that ends at `timeUs`. */
export type RateSink = (name: string, stepUs: number, timeUs: number, value: number) => void;

interface Followed {
  name: string;
  exporter: string;
  port: number;
  way: 'in' | 'out';
  rate: CounterRate;
  lastUs: number;
  /** The open step's end, its bits so far and the time they are of. */
  endUs: number;
  bits: number;
  coveredUs: number;
}

/**
 * Octet counters of interfaces as loads in steps, of five minutes by default: `EXPORTER 3 ifInOctets` becomes
 * `interface/EXPORTER/3.in.bps`. What was carried between two readings is spread evenly over the time between them; a step
 * that readings cover by less than half is missing, not zero.
 */
export class CounterLoads implements Stateful {
  readonly #sink: RateSink;
  readonly #stepUs: number;
  readonly #readings: ReadingSink;
  readonly #counters = new Map<string, Followed>();

  constructor(sink: RateSink, stepUs = LOAD_STEP_US, readings: ReadingSink = () => {}) {
    this.#sink = sink;
    this.#stepUs = stepUs;
    this.#readings = readings;
  }

  /** One reading. @returns false when the name is not that of an octet counter */
  read(counter: string, timeUs: number, octets: number, facts?: CounterFacts): boolean {
    const match = NAME.exec(counter);
    if (!match) return false;
    if (octets >= ABSENT || !(timeUs > 0)) return true;
    const followed = this.#counters.get(counter) ?? this.#follow(counter, match);
    // A datagram that comes late says nothing new.
    if (followed && !(timeUs <= followed.lastUs)) this.#add(followed, timeUs, octets, facts);
    return true;
  }

  #follow(counter: string, match: RegExpExecArray): Followed | null {
    if (this.#counters.size >= MOST) return null;
    const followed = begin(match);
    this.#counters.set(counter, followed);
    return followed;
  }

  #add(followed: Followed, timeUs: number, octets: number, facts?: CounterFacts): void {
    const perSecond = followed.rate.update(timeUs, octets, facts?.uptimeUs, facts?.mostPerSecond);
    const fromUs = followed.lastUs;
    followed.lastUs = timeUs;
    if (Number.isNaN(perSecond)) {
      if (!(timeUs < followed.endUs)) this.#close(followed, timeUs);
      return;
    }
    const { exporter, port, way } = followed;
    this.#readings(exporter, port, way, fromUs, timeUs, (perSecond * (timeUs - fromUs)) / 1e6);
    for (let atUs = fromUs; atUs < timeUs; ) {
      const untilUs = Math.min(followed.endUs, timeUs);
      followed.bits += (8 * perSecond * (untilUs - atUs)) / 1e6;
      followed.coveredUs += untilUs - atUs;
      atUs = untilUs;
      if (atUs >= followed.endUs) this.#close(followed, atUs);
    }
  }

  /** Tells the open step, and opens the one that holds `timeUs`. */
  #close(followed: Followed, timeUs: number): void {
    const { name, endUs, bits, coveredUs } = followed;
    followed.endUs = (Math.floor(timeUs / this.#stepUs) + 1) * this.#stepUs;
    followed.bits = followed.coveredUs = 0;
    if (coveredUs >= LEAST_SHARE * this.#stepUs) this.#sink(name, this.#stepUs, endUs, bits / (coveredUs / 1e6));
  }

  save(out: StateWriter): void {
    out.number(this.#counters.size);
    for (const [counter, { rate, lastUs, endUs, bits, coveredUs }] of this.#counters) {
      out.text(counter);
      out.array(Float64Array.of(lastUs, endUs, bits, coveredUs));
      rate.save(out);
    }
  }

  restore(state: StateReader): void {
    this.#counters.clear();
    for (let left = state.number(); left > 0; left--) {
      const counter = state.text();
      const match = NAME.exec(counter);
      if (!match) throw damaged('a counter without a name');
      const followed = begin(match);
      const numbers = new Float64Array(NUMBERS);
      state.into(numbers);
      [followed.lastUs, followed.endUs, followed.bits, followed.coveredUs] = numbers;
      followed.rate.restore(state);
      this.#counters.set(counter, followed);
    }
  }
}

/** Agents count in 64 bits, some of them what their hardware has in 32. */
function begin([, exporter, port, direction]: RegExpExecArray): Followed {
  const rate = new CounterRate({ stepUs: LOAD_STEP_US, bits: 32 });
  const way = direction === 'In' ? 'in' : 'out';
  const name = `interface/${exporter}/${port}.${way}.bps`;
  return {
    name,
    exporter,
    port: Number(port),
    way,
    rate,
    lastUs: Number.NaN,
    endUs: Number.NEGATIVE_INFINITY,
    bits: 0,
    coveredUs: 0,
  };
}
