import type { Counter, Metrics } from '../core/metrics.ts';
import type { LogParser } from './log-parser.ts';

/** What a followed log counts, over all of its files. */
export class LogCounters {
  readonly rows: Counter;
  readonly bad: Counter;
  readonly rotations: Counter;
  readonly lost: Counter;
  readonly #source: string;
  readonly #metrics: Metrics;
  #parser: LogParser | null = null;
  #counted = { rows: 0, bad: 0 };

  constructor(source: string, metrics: Metrics) {
    const counter = (what: string, help: string): Counter =>
      metrics.counter(`weir_log_${what}_total{source="${source}"}`, help);
    this.#source = source;
    this.#metrics = metrics;
    this.rows = counter('rows', 'Rows of a log that became flow rows.');
    this.bad = counter('bad_rows', 'Damaged rows of a log.');
    this.rotations = counter('rotations', 'Times a log was rotated.');
    this.lost = counter('lost_predecessors', 'Rotated logs whose unread rest was not found.');
  }

  /** Takes what the parser of the present file counted since the last call. */
  take(parser: LogParser): void {
    if (parser !== this.#parser) this.#counted = { rows: 0, bad: 0 };
    this.#parser = parser;
    this.rows.value += parser.rows - this.#counted.rows;
    this.bad.value += parser.badRows - this.#counted.bad;
    this.#counted = { rows: parser.rows, bad: parser.badRows };
    for (const [cause, count] of parser.skipped) {
      const name = `weir_log_skipped_total{source="${this.#source}",cause="${cause}"}`;
      this.#metrics.counter(name, 'Records of a log that give no row.').value += count;
    }
    parser.skipped.clear();
  }
}
