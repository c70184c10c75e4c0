import { isDeepStrictEqual } from 'node:util';
import type { Config, SourceConfig } from '../config.ts';
import { type InputError, messageOf } from '../core/errors.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import { parseDurationUs } from '../core/units.ts';
import type { Source } from '../model/intake.ts';
import type { RuleSet } from '../model/plan.ts';
import { createSource, type SourceDeps } from '../sources.ts';
import { Feed, type FeedPorts, giveWaiting } from './feed.ts';
import { paired } from './paired.ts';
import type { TimeKeeper } from './time-keeper.ts';

/** Packets or rows that a source gives before the others have their turn. */
const BUDGET = 4096;

interface Running {
  options: SourceConfig;
  source: Source;
  feed: Feed;
}

/** The running sources: polled in turn, those that know their next row's time in the order of time. */
export class SourceGroup {
  readonly #deps: SourceDeps;
  readonly #time: TimeKeeper;
  readonly #ports: FeedPorts;
  readonly #wake: () => void;
  #running: Running[] = [];
  /** Positions that no running source has taken up yet. */
  #positions = new Map<string, StateReader>();

  constructor(deps: SourceDeps, time: TimeKeeper, ports: FeedPorts, wake: () => void) {
    this.#deps = deps;
    this.#time = time;
    this.#ports = ports;
    this.#wake = wake;
  }

  get sources(): Source[] {
    return this.#running.map(({ source }) => source);
  }

  /** The latest damage of each source that met any. */
  get errors(): { file: string; error: InputError }[] {
    return this.sources.flatMap(({ name, error }) => (error ? [{ file: name, error }] : []));
  }

  /** All are finite, and all was given. */
  get done(): boolean {
    return this.#running.every(({ source }) => source.done);
  }

  /** What still waits in the decoder goes to the engine: no packets are to come. */
  endOfPackets(): void {
    giveWaiting(this.#ports);
  }

  /** Makes these the running sources: those that are as before go on, others stop or start. */
  async set(config: Config, rules: RuleSet): Promise<void> {
    const wanted = paired(config, rules);
    const kept = this.#running.filter(({ options }) => wanted.some((next) => isDeepStrictEqual(next, options)));
    for (const running of this.#running.filter((each) => !kept.includes(each))) await this.#end(running);
    const all: Running[] = [];
    for (const options of wanted) {
      const known = kept.find((each) => isDeepStrictEqual(each.options, options));
      try {
        all.push(known ?? (await this.#begin(options)));
      } catch (cause) {
        // What was opened for this configuration would keep the process.
        for (const running of all.filter((each) => !kept.includes(each))) await this.#end(running);
        throw cause;
      }
    }
    this.#running = all;
  }

  async #begin(options: SourceConfig): Promise<Running> {
    const source = createSource(options, this.#deps);
    const idleUs = options.idle ? parseDurationUs(options.idle) : undefined;
    const lane = this.#time.lane(options.name, idleUs, source.boundUs);
    const position = this.#positions.get(options.name);
    if (position) source.restore(position);
    this.#positions.delete(options.name);
    await source.start(this.#wake);
    this.#deps.logger.info({ code: 'source.started', source: options.name, type: options.type });
    return { options, source, feed: new Feed(lane, this.#ports, options.type !== 'load') };
  }

  async #end({ source }: Running): Promise<void> {
    this.#time.remove(source.name);
    await source.stop();
    this.#deps.logger.info({ code: 'source.stopped', source: source.name });
  }

  /** One turn. @returns true when there is more already */
  async poll(): Promise<boolean> {
    let more = false;
    const timed: Running[] = [];
    for (const running of this.#running) {
      if (running.source.done) running.feed.lane.done = true;
      else if (running.source.peek) timed.push(running);
      else if (await this.#give(running, BUDGET, Number.POSITIVE_INFINITY)) more = true;
    }
    return (await this.#pollTimed(timed)) || more;
  }

  /** The source whose row comes first gives up to the first row of the next. */
  async #pollTimed(timed: readonly Running[]): Promise<boolean> {
    if (timed.length < 2) return timed.length === 1 && this.#give(timed[0], BUDGET, Number.POSITIVE_INFINITY);
    let first: Running | null = null;
    let firstUs = Number.POSITIVE_INFINITY;
    let rivalUs = Number.POSITIVE_INFINITY;
    for (const running of timed) {
      const headUs = (await running.source.peek?.()) ?? Number.POSITIVE_INFINITY;
      if (headUs < firstUs) {
        rivalUs = firstUs;
        first = running;
        firstUs = headUs;
      } else if (headUs < rivalUs) rivalUs = headUs;
      if (headUs === Number.POSITIVE_INFINITY) await this.#give(running, BUDGET, headUs);
    }
    if (first === null) return false;
    const more = await this.#give(first, BUDGET, rivalUs);
    return more || rivalUs < Number.POSITIVE_INFINITY;
  }

  async #give({ source, feed }: Running, budget: number, untilUs: number): Promise<boolean> {
    const more = await source.poll(feed, budget, untilUs);
    this.#time.arrived(feed.lane);
    return more;
  }

  save(out: StateWriter): void {
    for (const { source } of this.#running) out.section(source.name, (position) => source.save(position));
  }

  /** Where the sources are, for a commit; `save` is what a run goes on from. */
  place(out: StateWriter): void {
    for (const { source } of this.#running) {
      out.section(source.name, (section) => (source.place ? source.place(section) : source.save(section)));
    }
  }

  /** The checkpoint that was saved last is complete. */
  kept(): void {
    for (const { source } of this.#running) source.kept?.();
  }

  /** To be called before `set`. */
  restore(state: StateReader): void {
    this.#positions = state.sections();
  }

  async stop(): Promise<void> {
    for (const { source } of [...this.#running].reverse()) {
      try {
        await source.stop();
      } catch (error) {
        this.#deps.logger.error({ code: 'source.stop', source: source.name, error: messageOf(error) });
      }
    }
  }
}
