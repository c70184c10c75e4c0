import { randomInt } from 'node:crypto';
import type { Counter, Metrics } from '../core/metrics.ts';
import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';
import type { Evaluation, EvidenceItem } from '../model/alert.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import type { RulePlan, RuleSet } from '../model/plan.ts';
import type { KeyHandle, WindowSink } from '../model/window-result.ts';
import { CHUNK, Chunk } from './chunk.ts';
import { CodeBook } from './code-book.ts';
import { Dispatcher } from './dispatch.ts';
import { EvidenceFinder } from './evidence.ts';
import { NetMasks } from './net-masks.ts';
import { Outlet } from './outlet.ts';
import { Lookups } from './predicate-code.ts';
import { RecentRows } from './recent-rows.ts';
import { Scratch } from './rule-code.ts';
import { RuleFeed } from './rule-feed.ts';
import { planRule } from './rule-plan.ts';
import { type ClosingWindows, RuleWindows } from './rule-windows.ts';
import { SessionWindows } from './session-windows.ts';
import { Texts } from './texts.ts';
import { groupTwins, type Twin, windowsId } from './twins.ts';

export { RecordFilter } from './record-filter.ts';

/** Positions of the rules that have one set of tables together, set by set. */
export function tableSets(rules: readonly RulePlan[]): number[][] {
  return groupTwins(rules).map((twins) => twins.map(({ index }) => index));
}

/** A watermark that leaps further stood still: what lies between is missing, not zero, and gives no empty windows. */
const STANDSTILL_US = 3600e6;
/** More than a watermark ever stays behind the newest row. */
const REACH_US = 600e6;

export interface WindowLimits {
  /** Different tuples of one measure and pane that are told apart; default 2^20. */
  maxPairs?: number;
  /** Slices that evidence can look back on; default 2^18 (about 60 MB), none when no rule asks for evidence or for 0. */
  recentRows?: number;
  /** Slices more that stay because some rule may look at them later; default 2^19. */
  waitingRows?: number;
  /** Seed of hashes; default random, so that nobody can prepare colliding keys. Results do not depend on it. */
  seed?: number;
}

export interface WindowPorts {
  names: Names;
  metrics: Metrics;
  onResults: WindowSink;
  /**
   * Keys of a rule that every window of it is asked for: those in alert, or that a follow-up waits for. With it, keys that no level can
   * hold for are left out of the results of rules with levels; without, all keys are given out.
   */
  watched?: (ruleIndex: number) => Iterable<KeyHandle>;
  /** Rules that have their windows in another stage, and only their evidence here; default none. */
  elsewhere?: (ruleIndex: number) => boolean;
  limits?: WindowLimits;
}

/**
 * Event-time windows of all rules over flow slices and records (docs/engine.md). Rules become generated code once, at
 * construction; a batch walks through it rule by rule. Windows close when the watermark reaches their end, in the order
 * (end, rule), whatever the order of rows within the watermark's bound and however they were cut into batches.
 */
export class WindowStage implements Stateful {
  readonly #seed: Int32Array;
  readonly #texts: Texts;
  readonly #chunk: Chunk;
  readonly #dispatcher: Dispatcher;
  /** One a set of tables. */
  readonly #windows: ClosingWindows[];
  /** Those that are filled here. */
  readonly #own: ClosingWindows[];
  /** Which of them a rule has. */
  readonly #ofRule: ClosingWindows[] = [];
  readonly #recent: RecentRows;
  readonly #evidence: EvidenceFinder | null;
  readonly #late: Counter;
  readonly #slices: Counter;
  #watermarkUs = Number.NEGATIVE_INFINITY;
  /** No window is due before this time. */
  #dueUs = Number.POSITIVE_INFINITY;

  constructor(ruleSet: RuleSet, { names, metrics, onResults, watched, elsewhere, limits = {} }: WindowPorts) {
    this.#seed = Int32Array.of(limits.seed ?? randomInt(2 ** 31));
    this.#texts = new Texts(names);
    const masks = new NetMasks();
    const lookups = new Lookups(masks, this.#texts);
    const groups = groupTwins(ruleSet.rules);
    const plans = groups.map(([{ rule }]) => planRule(rule, lookups, metrics));
    masks.build();
    this.#chunk = new Chunk(masks, lookups.uses, this.#seed);
    const scratch = new Scratch();
    const conditions = groups.flatMap(([{ rule }]) => (rule.follow ? [rule.match, rule.follow.match] : [rule.match]));
    this.#dispatcher = new Dispatcher(conditions, lookups, this.#chunk);
    const book = new CodeBook(this.#chunk, scratch, this.#seed, lookups);
    const { recentRows = 1 << 18, waitingRows } = limits;
    const wanting = recentRows > 0 ? ruleSet.rules.filter(({ evidence }) => evidence.length > 0) : [];
    const reachUs = Math.max(...wanting.map(reachOf));
    this.#recent = new RecentRows(wanting.length > 0 ? recentRows : 0, lookups.uses, reachUs, waitingRows);
    this.#evidence = wanting.length > 0 ? new EvidenceFinder(this.#recent, this.#chunk, scratch) : null;
    const isAway = (twins: readonly Twin[]): boolean => twins.some(({ index }) => elsewhere?.(index));
    const deps = { chunk: this.#chunk, scratch, dispatcher: this.#dispatcher, recent: this.#recent, book };
    let condition = 0;
    this.#windows = plans.map((compile, g) => {
      const compiled = compile(book);
      const own = compiled.rule.follow ? [condition++, condition++] : [condition++];
      const feed = new RuleFeed(compiled, { ...deps, conditions: own }, limits);
      const outlet = new Outlet(compiled, groups[g], onResults);
      if (compiled.rule.window.kind === 'session') return new SessionWindows(feed, outlet);
      return new RuleWindows(feed, outlet, watched && (() => watchedOf(groups[g], watched)), isAway(groups[g]));
    });
    for (const windows of this.#windows) for (const { index } of windows.outlet.twins) this.#ofRule[index] = windows;
    this.#own = this.#windows.filter(({ outlet }) => !isAway(outlet.twins));
    this.#late = metrics.counter(
      'weir_late_rows_total',
      'Slices and records that came after a window of theirs was closed.',
    );
    this.#slices = metrics.counter('weir_window_slices_total', 'Slices and records given to windows.');
  }

  /** Adds slices or records. The batch is the giver's again when the call returns. */
  add(batch: FlowBatch): void {
    this.#slices.value += batch.length;
    this.#recent.add(batch);
    for (let from = 0; from < batch.length; from += CHUNK) {
      this.#chunk.load(batch, from, Math.min(batch.length, from + CHUNK));
      this.#countLate();
      this.#dispatcher.sort();
      for (const { feed } of this.#own) feed.add();
    }
    this.#dueUs = Number.NEGATIVE_INFINITY;
  }

  /** What made up the alert's window, as its rule's `evidence` asks; from recent rows, as far back as they reach. */
  evidence(evaluation: Evaluation): EvidenceItem[] {
    const { compiled } = this.#ofRule[evaluation.ruleIndex].feed;
    return this.#evidence?.find(compiled, evaluation) ?? [];
  }

  #countLate(): void {
    const { earliestUs, startUs, slices } = this.#chunk;
    let closedUs = Number.NEGATIVE_INFINITY;
    for (const { feed } of this.#windows) if (feed.closedUs > closedUs) closedUs = feed.closedUs;
    if (earliestUs >= closedUs) return;
    for (let i = 0; i < slices; i++) if (startUs[i] < closedUs) this.#late.value++;
  }

  /** Event time has come to `watermarkUs`; Infinity is the end of input, after which every row is late. */
  advance(watermarkUs: number): void {
    if (!(watermarkUs > this.#watermarkUs)) return;
    const stood = watermarkUs - this.#watermarkUs > STANDSTILL_US;
    this.#watermarkUs = watermarkUs;
    if (watermarkUs < this.#dueUs) return;
    for (let endUs = this.#nextEndUs(stood); endUs <= watermarkUs; endUs = this.#nextEndUs(stood)) {
      if (endUs === Number.POSITIVE_INFINITY) break;
      this.#close(endUs, stood);
    }
    for (const windows of this.#windows) windows.skipTo(watermarkUs);
    this.#dueUs = this.#nextEndUs(false);
  }

  /** All windows that end now, given out in the order of their rules. */
  #close(endUs: number, stood: boolean): void {
    const due = this.#windows.filter((windows) => windows.nextEndUs(stood) === endUs);
    for (const windows of due) windows.close(endUs);
    const turns = due.flatMap(({ outlet }) => outlet.twins.map(({ index }, k) => ({ index, outlet, k })));
    for (const { outlet, k } of turns.sort((a, b) => a.index - b.index)) outlet.give(k);
    for (const windows of due) windows.settle(endUs);
  }

  #nextEndUs(stood: boolean): number {
    let next = Number.POSITIVE_INFINITY;
    for (const windows of this.#windows) next = Math.min(next, windows.nextEndUs(stood));
    return next;
  }

  /** `Names`, whose ids are part of this state, are saved by whoever owns them. */
  save(out: StateWriter): void {
    out.section('stage', (stage) => {
      stage.array(this.#seed);
      stage.number(this.#watermarkUs);
      stage.number(this.#dueUs);
      this.#texts.save(stage);
    });
    out.section('rows', (rows) => this.#recent.save(rows));
    this.saveTables(out);
  }

  /** Only the tables: what a stage that has part of the rules adds to the state of the one that has the others. */
  saveTables(out: StateWriter): void {
    for (const windows of this.#own) {
      out.section(sectionOf(windows), (section) => {
        section.json(windows.outlet.twins.map(({ rule }) => rule.fingerprint));
        windows.save(section);
      });
    }
  }

  /**
   * Tables go on where they were when one of their rules, by its fingerprint, was there before; the others begin at the
   * state's watermark.
   */
  restore(state: StateReader): void {
    const sections = state.sections();
    const stage = sections.get('stage');
    if (!stage) throw damaged('it holds no windows');
    stage.into(this.#seed);
    this.#watermarkUs = stage.number();
    this.#dueUs = stage.number();
    this.#texts.restore(stage);
    const rows = sections.get('rows');
    if (rows) this.#recent.restore(rows);
    for (const windows of this.#windows) {
      const section = sections.get(sectionOf(windows));
      const own = this.#own.includes(windows);
      if (own && section && knows(section.json(), windows.outlet.twins)) windows.restore(section);
      else windows.skipTo(this.#watermarkUs);
    }
  }
}

function* watchedOf(twins: readonly Twin[], watched: (ruleIndex: number) => Iterable<KeyHandle>): Generator<KeyHandle> {
  for (const { index } of twins) yield* watched(index);
}

function sectionOf({ feed }: ClosingWindows): string {
  return `windows ${windowsId(feed.compiled.rule)}`;
}

function knows(fingerprints: string[], twins: readonly Twin[]): boolean {
  return twins.some(({ rule }) => fingerprints.includes(rule.fingerprint));
}

/** How far before the watermark evidence may look: a window that was held up by the watermark's bound, twice. */
function reachOf({ window }: RulePlan): number {
  return window.kind === 'session' ? Number.POSITIVE_INFINITY : 2 * window.sizeUs + REACH_US;
}
