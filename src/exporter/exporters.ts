import type { Names } from '../model/names.ts';
import type { ExporterCounters } from './counters.ts';
import { ExporterState, type TemplateTotal } from './exporter-state.ts';
import { ExporterRooms } from './shared-room.ts';

/** An exporter that was heard again moves behind the others this often, microseconds of its time. */
const REFRESH_US = 10e6;

/** All exporters by address: bounded, the one that was silent longest leaves. */
export class Exporters {
  readonly #most: number;
  readonly #names: Names;
  readonly #counters: ExporterCounters;
  readonly #rateOf: (address: string) => number;
  readonly #all = new Map<string, ExporterState>();
  readonly #rooms = new ExporterRooms();
  readonly templates: TemplateTotal = { value: 0 };

  /** @param rateOf the configured N of 1:N of an exporter, 0 without */
  constructor(most: number, names: Names, rateOf: (address: string) => number, counters: ExporterCounters) {
    this.#most = most;
    this.#names = names;
    this.#rateOf = rateOf;
    this.#counters = counters;
  }

  get(address: string, nowUs: number): ExporterState {
    const known = this.#all.get(address);
    if (known === undefined) return this.#add(address, nowUs);
    if (Math.abs(nowUs - known.lastSeenUs) >= REFRESH_US) {
      this.#all.delete(address);
      this.#all.set(address, known);
      known.name = this.#names.exporters.intern(address);
      known.lastSeenUs = nowUs;
    }
    return known;
  }

  #add(address: string, nowUs: number): ExporterState {
    if (this.#all.size >= this.#most) {
      const [[oldest, state]] = this.#all;
      state.leave();
      this.#all.delete(oldest);
      this.#counters.exportersFull.value++;
    }
    const exporter = new ExporterState(address, this.#rateOf(address), this.templates, this.#rooms);
    exporter.name = this.#names.exporters.intern(address);
    exporter.lastSeenUs = nowUs;
    this.#all.set(address, exporter);
    return exporter;
  }

  all(): Iterable<ExporterState> {
    return this.#all.values();
  }
}
