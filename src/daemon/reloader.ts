import type { Config } from '../config.ts';
import type { Finding } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import { formatUs } from '../core/time.ts';
import type { Prefix } from '../model/address.ts';
import type { Transition } from '../model/alert.ts';
import { type Loaded, loadAll } from './loaded.ts';
import { ownTransition, RELOAD_FAILED } from './own-alert.ts';

export interface ReloadStatus {
  reloads: number;
  failures: number;
  /** What is wrong with the file on disk; null when it is the one in force. */
  problem: string | null;
}

interface Deps {
  logger: Logger;
  metrics: Metrics;
  nowUs: () => number;
  tell: (transition: Transition) => void;
}

/** Loads a configuration again. One with errors stays outside: it is logged place by place, shown and alerted. */
export class Reloader {
  readonly #path: string;
  readonly #deps: Deps;
  readonly #reloads: Counter;
  readonly #failures: Counter;
  #problem: string | null = null;
  /** When the own alert began; null while it does not fire. */
  #sinceUs: number | null = null;

  constructor(path: string, deps: Deps) {
    this.#path = path;
    this.#deps = deps;
    this.#reloads = deps.metrics.counter('weir_reloads_total', 'Configurations taken into force by a reload.');
    this.#failures = deps.metrics.counter('weir_reload_failures_total', 'Configurations that did not load.');
  }

  get status(): ReloadStatus {
    return { reloads: this.#reloads.value, failures: this.#failures.value, problem: this.#problem };
  }

  /** The new configuration with its rules; null when it has errors and the running one stays in force. */
  load(running: Config, learned: Prefix[] | null): Exclude<Loaded, { findings: Finding[] }> | null {
    const loaded = loadAll(this.#path, learned);
    if ('findings' in loaded) return this.#refuse(loaded.findings);
    if (loaded.config.store.path !== running.store.path) {
      const message = 'store.path cannot change while weir runs: restart it';
      return this.#refuse([{ file: this.#path, line: 1, column: 1, code: 'config.store', message }]);
    }
    this.#reloads.value++;
    this.#problem = null;
    this.#deps.logger.info({ code: 'reload.done', rules: loaded.rules.rules.length });
    this.#resolve();
    return loaded;
  }

  #refuse(findings: readonly Finding[]): null {
    this.#failures.value++;
    const places = findings.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
    findings.forEach(({ code, file, line, column }, i) => {
      this.#deps.logger.error({ code: 'reload.failed', cause: code, file, line, column }, places[i]);
    });
    this.#problem = places.join('\n');
    const nowUs = this.#deps.nowUs();
    if (this.#sinceUs !== null) return null;
    this.#sinceUs = nowUs;
    const summary = `the configuration has ${findings.length} errors, the running one stays in force: ${places[0]}`;
    this.#deps.tell(ownTransition(RELOAD_FAILED, 'firing', { sinceUs: nowUs, nowUs }, summary));
    return null;
  }

  #resolve(): void {
    if (this.#sinceUs === null) return;
    const nowUs = this.#deps.nowUs();
    const summary = `the configuration of ${formatUs(nowUs)} is in force`;
    this.#deps.tell(ownTransition(RELOAD_FAILED, 'resolved', { sinceUs: this.#sinceUs, nowUs }, summary));
    this.#sinceUs = null;
  }
}
