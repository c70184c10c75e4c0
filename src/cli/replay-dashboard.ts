import packageJson from '../../package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import { messageOf } from '../core/errors.ts';
import { createLogger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Engine } from '../engine.ts';
import type { ReplayHooks } from '../pipeline.ts';
import { Dashboard } from './dashboard.ts';
import { notice } from './progress.ts';

/** The dashboard of a replay: it shows what the replay has told so far, and, on a terminal, stays until Ctrl-C. */
export class ReplayDashboard {
  readonly #dashboard: Dashboard;
  readonly #metrics: Metrics;
  #engine: Engine | null = null;
  #packets = 0;
  #rules = 0;

  constructor(config: Config, { metrics }: { metrics: Metrics }) {
    this.#metrics = metrics;
    const ports = {
      status: () => this.#status(),
      forecast: (name: string, steps: number) => this.#engine?.loads.get(name)?.model.forecast(steps) ?? null,
      allTalkers: true,
    };
    this.#dashboard = new Dashboard(config, ports, { metrics, logger: createLogger(), trouble: () => null });
  }

  /** A replay goes on without a page where the address is taken. */
  async start(): Promise<void> {
    try {
      await this.#dashboard.start();
      if (this.#dashboard.url !== null) notice(`dashboard: ${this.#dashboard.url}`);
    } catch (error) {
      notice(`no dashboard: ${messageOf(error)}`);
    }
  }

  /** The same hooks, with the dashboard looking on. */
  watch(hooks: ReplayHooks): ReplayHooks {
    const dashboard = this.#dashboard;
    return {
      ...hooks,
      transition: (transition) => {
        hooks.transition(transition);
        dashboard.transition(transition);
      },
      records: (batch) => {
        hooks.records?.(batch);
        dashboard.records(batch);
      },
      series: (name, timeUs, value) => {
        hooks.series?.(name, timeUs, value);
        dashboard.point(name, timeUs, value);
      },
      home: (home, learned, rules) => {
        this.#rules = rules;
        hooks.home(home, learned, rules);
      },
      progress: (share, packets) => {
        this.#packets = packets;
        hooks.progress(share, packets);
      },
    };
  }

  /** The replay is over; its forecasts can be asked for. */
  async end(engine: Engine): Promise<void> {
    this.#engine = engine;
    this.#packets = engine.packets;
    if (process.stdout.isTTY && this.#dashboard.url !== null) {
      notice(`dashboard: ${this.#dashboard.url} until Ctrl-C`);
      await new Promise<void>((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
      });
    }
    await this.#dashboard.stop();
  }

  #status(): Record<string, unknown> {
    const maxUs = this.#engine?.maxEventUs ?? Number.NaN;
    return {
      version: packageJson.version,
      pid: process.pid,
      uptimeSeconds: Math.round(process.uptime()),
      rssBytes: process.memoryUsage.rss(),
      rules: this.#rules,
      packets: this.#packets,
      eventTime: Number.isFinite(maxUs) ? new Date(maxUs / 1000).toISOString() : null,
      counters: this.#metrics.snapshot(),
    };
  }
}
