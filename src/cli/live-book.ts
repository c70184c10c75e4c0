import type { Transition } from '../model/alert.ts';
import type { DashboardData } from '../model/dashboard.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { RecentPoints } from '../model/recent-points.ts';
import type { LoadForecast, SeriesPoint } from '../model/series.ts';
import { Talkers } from './talkers.ts';

const MOST_RECENT = 200;
const MOST_ACTIVE = 1000;
const MOST_SERIES = 500;
/** A week of five minutes. */
const MOST_POINTS = 2016;
/** Points of one answer where somebody asks for a span. */
const MOST_ASKED = 100_000;
const FIRES = new Set(['firing', 'escalated', 'deescalated']);
/** Talkers are those of the last one to two of these, in event time. */
const TALKERS_US = 300e6;

export interface LiveBookPorts {
  status: () => Record<string, unknown>;
  /** The path of a load series; null where it is not known. */
  forecast: (name: string, steps: number) => LoadForecast | null;
  /** Points that are stored, in `fromUs <= time < untilUs`, oldest first. */
  stored?: (name: string, fromUs: number, untilUs: number) => Promise<SeriesPoint[]>;
  /** All talkers since the start instead of recent ones: for a replay, whose time flies. */
  allTalkers: boolean;
}

/** What a dashboard shows of a run, kept as it happens, in bounded memory. */
export class LiveBook implements DashboardData {
  readonly #ports: LiveBookPorts;
  readonly #active = new Map<string, Transition>();
  readonly #recent: Transition[] = [];
  readonly #series = new Map<string, RecentPoints>();
  #talkers = new Talkers();
  #before = new Talkers();
  #turnUs = Number.NEGATIVE_INFINITY;

  constructor(ports: LiveBookPorts) {
    this.#ports = ports;
  }

  transition(transition: Transition): void {
    const { alertId, state } = transition;
    this.#recent.push(transition);
    if (this.#recent.length > MOST_RECENT) this.#recent.shift();
    this.#active.delete(alertId);
    if (FIRES.has(state)) this.#active.set(alertId, transition);
    if (this.#active.size > MOST_ACTIVE) this.#active.delete(this.#active.keys().next().value!);
  }

  point(name: string, timeUs: number, value: number): void {
    let points = this.#series.get(name);
    if (!points) {
      if (this.#series.size >= MOST_SERIES) return;
      points = new RecentPoints(MOST_POINTS);
      this.#series.set(name, points);
    }
    points.push(timeUs, value);
  }

  records(batch: FlowBatch): void {
    this.#talkers.add(batch);
    const lastUs = batch.length > 0 ? batch.endUs[batch.length - 1] : Number.NEGATIVE_INFINITY;
    if (this.#ports.allTalkers || lastUs < this.#turnUs + TALKERS_US) return;
    this.#turnUs = lastUs;
    this.#before = this.#talkers;
    this.#talkers = new Talkers();
  }

  status(): Record<string, unknown> {
    return this.#ports.status();
  }

  alerts(): { active: Transition[]; recent: Transition[] } {
    return { active: [...this.#active.values()].reverse(), recent: this.#recent.toReversed() };
  }

  seriesNames() {
    return [...this.#series].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, points]) => infoOf(name, points));
  }

  /** What is in memory, and before it what is stored: a run knows of those before it. */
  async series(name: string, fromUs: number, untilUs: number): Promise<SeriesPoint[] | null> {
    const known = this.#series.get(name)?.all() ?? [];
    const startUs = Math.min(untilUs, known[0]?.timeUs ?? Number.POSITIVE_INFINITY);
    const { stored } = this.#ports;
    const before = stored && fromUs < startUs ? await stored(name, fromUs, startUs) : [];
    if (before.length === 0 && known.length === 0) return null;
    const points = [...before, ...known.filter(({ timeUs }) => timeUs >= fromUs && timeUs < untilUs)];
    return points.slice(fromUs === Number.NEGATIVE_INFINITY ? -MOST_POINTS : -MOST_ASKED);
  }

  forecast(name: string, steps: number): LoadForecast | null {
    return this.#ports.forecast(name, steps);
  }

  talkers(most: number) {
    const both = new Talkers();
    both.join(this.#before);
    both.join(this.#talkers);
    return both.top(most);
  }

  /** Takes up what an earlier run told, oldest first. */
  recall(transitions: readonly Transition[]): void {
    for (const transition of transitions) this.transition(transition);
  }
}

function infoOf(name: string, points: RecentPoints) {
  const last = points.at(-1)!;
  const stepUs = last.timeUs - (points.at(-2) ?? last).timeUs;
  return { name, stepUs, lastUs: last.timeUs, lastValue: last.value };
}
