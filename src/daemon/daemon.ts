import { setImmediate } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { Lifecycle } from '../core/component.ts';
import { StateReader, StateWriter } from '../core/state.ts';
import { formatUs } from '../core/time.ts';
import { parseDurationUs } from '../core/units.ts';
import { Decoder, EARLY_FRAGMENTS } from '../decode/decode.ts';
import type { Engine } from '../engine.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { Names } from '../model/names.ts';
import type { RuleSet } from '../model/plan.ts';
import { readTransitions } from '../store/store.ts';
import { AlertBook } from './alert-book.ts';
import { buildEngine } from './build-engine.ts';
import { Checkpointer } from './checkpointer.ts';
import { bringsAgain, canWait } from './passing.ts';
import type { DaemonOptions, DaemonPorts } from './ports.ts';
import { Reloader } from './reloader.ts';
import { retired } from './retire.ts';
import { RunStore } from './run-store.ts';
import { type CheckpointFacts, factsOf, SavedRun, saveRun } from './running-state.ts';
import { SourceGroup } from './source-group.ts';
import { TimeKeeper } from './time-keeper.ts';
import { Waker } from './waker.ts';

/** A turn of the loop that takes longer lets timers, deliveries and signals have theirs. */
const BREATHE_MS = 25;
/** How long the loop sleeps when nothing wakes it: time passes for silent sources, checkpoints fall due. */
const TICK_MS = 250;

/**
 * The running daemon: sources are polled, rows go through the engine, what it tells is committed, and between two
 * rounds, when state and positions belong together, checkpoints are taken and configurations exchanged.
 */
export class Daemon {
  readonly store: RunStore;
  readonly book: AlertBook;
  readonly time: TimeKeeper;
  readonly names = new Names();
  readonly sources: SourceGroup;
  readonly reloader: Reloader;
  checkpointer!: Checkpointer;
  readonly #ports: DaemonPorts;
  readonly #options: DaemonOptions;
  readonly #decoder: Decoder;
  readonly #lifecycle: Lifecycle;

  #config: Config;
  #rules: RuleSet;
  #engine: Engine;
  #stopping = false;
  #reload = false;
  /** The state before the end of input closed everything; null while input goes on. */
  #ended: Uint8Array | null = null;
  readonly #waker = new Waker(TICK_MS);

  constructor(options: DaemonOptions, ports: DaemonPorts) {
    const { clock, metrics, logger } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#config = options.config;
    this.#rules = options.rules;
    this.store = new RunStore(options.config.store, { metrics, logger });
    this.time = new TimeKeeper(() => clock.nowUs());
    this.#decoder = new Decoder({ names: this.names, maxEarlyFragments: EARLY_FRAGMENTS }, { metrics });
    const { drainMs } = options;
    const { plot, fresh } = ports;
    this.book = new AlertBook(options.config, { store: this.store, metrics, logger, plot, drainMs, fresh });
    this.#engine = this.#newEngine(options.config, options.rules);
    const records = (batch: FlowBatch) => this.#record(batch);
    const feed = { decoder: this.#decoder, engine: () => this.#engine, records };
    const folders = [options.config.store.path];
    const sourceDeps = { names: this.names, metrics, logger, clock, finite: options.untilDone, folders };
    this.sources = new SourceGroup(sourceDeps, this.time, feed, () => this.#waker.wake());
    this.reloader = new Reloader(options.configPath, {
      logger,
      metrics,
      nowUs: () => clock.nowUs(),
      tell: (t) => this.book.tell(t),
    });
    this.#lifecycle = new Lifecycle(
      [
        { name: 'engine', start: () => {}, stop: () => this.#engine.stop() },
        { name: 'store', start: () => this.#recover(), stop: () => this.store.stop() },
        { name: 'notify', start: () => this.book.start(), stop: () => this.book.stop() },
        { name: 'sources', start: () => this.sources.set(this.#config, this.#rules), stop: () => this.sources.stop() },
      ],
      { logger },
    );
  }

  get config(): Config {
    return this.#config;
  }

  get engine(): Engine {
    return this.#engine;
  }

  get ruleCount(): number {
    return this.#rules.rules.length;
  }

  /** Why the daemon does not do all of its work; null when it does. */
  get trouble(): string | null {
    return this.book.problem ?? this.store.history.problem ?? this.checkpointer.problem ?? this.reloader.status.problem;
  }

  /** Ends the run in order: the round goes to its end, a checkpoint is taken, deliveries are drained. */
  stop(): void {
    this.#stopping = true;
    this.#waker.wake();
  }

  /** Exchanges configuration and rules between two rounds. */
  reload(): void {
    this.#reload = true;
    this.#waker.wake();
  }

  /** Runs until it is done or stopped. */
  async run(): Promise<void> {
    await this.#start();
    this.#ports.phase('ready', `${this.ruleCount} rules, ${this.#config.sources.length} sources`);
    try {
      await this.#loop();
      this.#ports.phase('stopping', 'draining');
      this.#ports.logger.info({ code: 'run.draining' });
      await this.#finish();
    } finally {
      await this.#lifecycle.stop();
    }
  }

  async #start(): Promise<void> {
    try {
      await this.#lifecycle.start();
    } catch (error) {
      this.store.close();
      throw error;
    }
  }

  async #loop(): Promise<void> {
    let breathedMs = performance.now();
    while (!this.#stopping) {
      this.#waker.reset();
      const more = this.#ended === null && (await this.#round());
      await this.#between();
      if (this.#ended === null && this.sources.done) {
        await this.#endOfInput();
        if (this.#options.untilDone) return;
      }
      if (!more) await this.#waker.sleep();
      else if (performance.now() - breathedMs >= BREATHE_MS) await setImmediate();
      else continue;
      breathedMs = performance.now();
    }
  }

  /** @returns whether there is more to do at once */
  async #round(): Promise<boolean> {
    const more = await this.sources.poll();
    if (!more) {
      const passedUs = this.#options.untilDone ? Number.NaN : this.time.pass();
      if (!Number.isNaN(passedUs)) this.#engine.pass(passedUs);
    }
    this.#commit();
    return more;
  }

  #commit(): void {
    this.book.commit(() => {
      const sources = new StateWriter();
      this.sources.place(sources);
      const { epoch } = this.checkpointer;
      const eventUs = this.#engine.maxEventUs;
      return { epoch, eventUs: Number.isFinite(eventUs) ? eventUs : 0, sources: sources.concat() };
    });
  }

  /** Between two rounds everything belongs together. */
  async #between(): Promise<void> {
    if (this.#reload) await this.#exchange();
    await this.store.history.settle();
    if (this.#ended === null && this.checkpointer.due) await this.checkpoint();
  }

  checkpoint(): Promise<void> {
    return this.checkpointer.take(() => this.#save(), this.sources);
  }

  /** With what was told between two rounds. */
  #save(): StateWriter {
    this.#commit();
    const facts = factsOf(this.#rules, this.#config.home === null ? this.#options.home : null);
    const { names, time, sources } = this;
    const [decoder, engine, history] = [this.#decoder, this.#engine, this.store.staged];
    return saveRun(facts, { names, decoder, engine, time, sources, history, self: this.#ports.self });
  }

  /** The state before is what a later run with more input goes on from. */
  async #endOfInput(): Promise<void> {
    await this.checkpoint();
    this.sources.endOfPackets();
    this.#ended = this.#engineState();
    this.#engine.end();
    this.#commit();
    await this.store.history.flush();
    this.#ports.logger.info({ code: 'run.input_end', packets: this.#engine.packets });
  }

  async #finish(): Promise<void> {
    if (this.#ended === null) {
      this.#commit();
      await this.store.history.flush();
      await this.checkpoint();
    }
    await this.checkpointer.settled();
    await this.book.drain();
  }

  #engineState(): Uint8Array {
    const out = new StateWriter();
    this.#engine.save(out);
    return out.concat();
  }

  /** Takes up the newest checkpoint, or begins. */
  async #recover(): Promise<void> {
    const { logger, metrics } = this.#ports;
    if (this.#options.fresh) this.store.checkpoints.clear();
    const found = this.store.checkpoints.newest();
    for (const why of found?.unreadable ?? []) logger.error({ code: 'checkpoint.unreadable' }, why);
    const saved = found ? new SavedRun(found.body) : null;
    if (saved) this.names.restore(saved.section('names'));
    const again = bringsAgain(this.#config.sources);
    const waits = () => canWait(this.#config.sources);
    const epoch = await this.store.start(this.names, found, { again, waits });
    const intervalMs = () => parseDurationUs(this.#config.checkpoint.interval) / 1000;
    this.checkpointer = new Checkpointer(epoch, { intervalMs }, { store: this.store, logger, metrics });
    if (!saved) return;
    this.store.staged.restore(saved.section('history'));
    this.store.history.begin();
    saved.restoreSelf(this.#ports.self);
    this.#decoder.restore(saved.section('decoder'));
    this.time.restore(saved.section('time'));
    this.sources.restore(saved.section('sources'));
    this.#engine.restore(saved.section('engine'));
    const [eventTime, toldUntil] = [this.#engine.maxEventUs, this.store.log.reachedUs].map((us) =>
      formatUs(Math.max(0, us)),
    );
    logger.info({ code: 'checkpoint.restored', epoch, build: saved.facts.build, eventTime, toldUntil });
    this.#retire(saved.facts.rules);
  }

  async #exchange(): Promise<void> {
    this.#reload = false;
    this.#ports.phase('reloading', 'reloading the configuration');
    const loaded = this.reloader.load(this.#config, this.#options.home);
    if (loaded) await this.#take(loaded.config, loaded.rules);
    this.#commit();
    this.#ports.phase('ready', `${this.ruleCount} rules, ${this.#config.sources.length} sources`);
  }

  /** A new configuration in force. After the end of input an engine only begins again when there is more to read. */
  async #take(config: Config, rules: RuleSet): Promise<void> {
    const before = factsOf(this.#rules, null).rules;
    const engine = this.#newEngine(config, rules);
    engine.restore(new StateReader(this.#ended ?? this.#engineState()));
    this.#config = config;
    this.#rules = rules;
    await this.book.reload(config);
    await this.sources.set(config, rules);
    const goesOn = this.#ended === null || !this.sources.done;
    await (goesOn ? this.#engine : engine).stop();
    if (goesOn) [this.#engine, this.#ended] = [engine, null];
    this.#retire(before);
  }

  #retire(before: CheckpointFacts['rules']): void {
    const active = () => readTransitions(this.store.db, { active: true });
    for (const ended of retired(before, this.#rules, active, this.#engine.maxEventUs)) this.book.tell(ended);
  }

  #newEngine(config: Config, rules: RuleSet): Engine {
    const { book, store, time, names } = this;
    const { sinks, metrics } = this.#ports;
    const records = (batch: FlowBatch) => this.#record(batch);
    return buildEngine(config, rules, { book, store, time, names, metrics, records, sinks });
  }

  /** Flow records, of the meter or of a source. */
  #record(batch: FlowBatch): void {
    this.#ports.sinks.records?.(batch);
    if (this.#config.store.flows) this.store.history.flows(batch);
  }
}
