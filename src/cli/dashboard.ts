import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import type { Component } from '../core/component.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { ProcessMetrics } from '../core/process-metrics.ts';
import { readSecret } from '../core/secrets.ts';
import type { Transition } from '../model/alert.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { WebServer } from '../web/web.ts';
import { LiveBook, type LiveBookPorts } from './live-book.ts';
import { StoredPoints } from './stored-points.ts';

export interface DashboardDeps {
  metrics: Metrics;
  logger: Logger;
  trouble: () => string | null;
}

/** The page of a run: what it tells is kept, shown and pushed. A run without one costs nothing. */
export class Dashboard implements Component {
  readonly name = 'dashboard';
  readonly book: LiveBook;
  readonly #server: WebServer;
  readonly #process: ProcessMetrics;

  constructor(config: Config, ports: LiveBookPorts, deps: DashboardDeps) {
    const { token: value, token_file: file, token_env: env, listen } = config.http;
    const token = readSecret({ value, file, env }, { baseDir: config.folder, env: process.env });
    const stored = new StoredPoints(join(config.store.path, 'history'), deps.logger);
    this.book = new LiveBook({ ...ports, stored: (...asked) => stored.read(...asked) });
    this.#server = new WebServer({ listen, token }, { ...deps, data: this.book });
    this.#process = new ProcessMetrics({ version: packageJson.version, folder: config.store.path }, deps);
  }

  /** Where the page is; null while nothing listens. */
  get url(): string | null {
    return this.#server.url;
  }

  async start(): Promise<void> {
    this.#process.start();
    await this.#server.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    this.#process.stop();
  }

  transition(transition: Transition): void {
    this.book.transition(transition);
    this.#server.events.send('alert', transition);
  }

  point(name: string, timeUs: number, value: number): void {
    this.book.point(name, timeUs, value);
    this.#server.events.send('point', { name, time: timeUs / 1e6, value });
  }

  records(batch: FlowBatch): void {
    this.book.records(batch);
  }
}
