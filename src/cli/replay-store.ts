import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Metrics } from '../core/metrics.ts';
import type { Evaluation, Transition } from '../model/alert.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { History, openState, TransitionLog } from '../store/store.ts';

/**
 * Keeps what a replay finds: flows, series and judged windows as history, transitions as state. The same inputs
 * replayed again replace their own history and add no transition twice.
 */
export class ReplayStore {
  readonly db: DatabaseSync;
  readonly #history: History;
  readonly #log: TransitionLog;

  constructor(folder: string, inputs: string[], deps: { names: Names; metrics: Metrics }) {
    this.db = openState(folder);
    this.#log = new TransitionLog(this.db);
    const writer = `replay-${createHash('sha256').update(inputs.join('\n')).digest('hex').slice(0, 12)}`;
    this.#history = new History({ path: join(folder, 'history'), writer }, deps);
  }

  start(): Promise<void> {
    return this.#history.start();
  }

  /** Stores a transition and, in the same transaction, what `also` does with it; false when it was there already. */
  transition(transition: Transition, also: (transition: Transition) => void): boolean {
    return this.#log.transaction(() => {
      const fresh = this.#log.append(transition);
      if (fresh) also(transition);
      return fresh;
    });
  }

  records(batch: FlowBatch): void {
    this.#history.flows(batch);
  }

  series(series: string, timeUs: number, value: number): void {
    this.#history.series(series, timeUs, value);
  }

  evaluation({ rule, keyText, startUs, endUs, holds, values }: Evaluation): void {
    const level = holds.lastIndexOf(true);
    const severity = level < 0 ? null : rule.levels[level].severity;
    this.#history.window(rule.id, keyText, startUs, endUs, severity, JSON.stringify(values));
  }

  settle(): Promise<void> {
    return this.#history.settle();
  }

  flush(): Promise<void> {
    return this.#history.flush();
  }

  async stop(): Promise<void> {
    await this.#history.stop();
    this.db.close();
  }
}
