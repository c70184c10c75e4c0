import packageJson from '../../package.json' with { type: 'json' };
import type { Metrics } from '../core/metrics.ts';
import { formatUs } from '../core/time.ts';
import { Outbox } from '../notify/notify.ts';
import type { Daemon } from './daemon.ts';

/** Everything a person asks a running daemon, as one JSON object. */
export function statusOf(daemon: Daemon, metrics: Metrics, nowUs: number): Record<string, unknown> {
  const { engine, checkpointer, reloader, store, book } = daemon;
  return {
    code: 'status',
    time: formatUs(nowUs),
    version: packageJson.version,
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    rssBytes: process.memoryUsage.rss(),
    rules: daemon.ruleCount,
    packets: engine.packets,
    eventTime: timeOrNull(engine.maxEventUs),
    watermark: timeOrNull(engine.watermarkUs),
    alerts: engine.alerts.active().length,
    sources: daemon.sources.sources.map((source) => ({
      name: source.name,
      done: source.done,
      error: source.error,
      ...source.status?.(),
    })),
    checkpoint: {
      ...checkpointer.last,
      ageSeconds: Math.round(checkpointer.ageSeconds),
      problem: checkpointer.problem,
    },
    history: {
      problem: store.history.problem,
      gapRows: store.history.gapRows,
      stagedRows: store.history.staged,
    },
    state: { problem: book.problem },
    reload: reloader.status,
    outbox: outboxOf(daemon, nowUs, metrics),
    counters: metrics.snapshot(),
  };
}

function outboxOf(daemon: Daemon, nowUs: number, metrics: Metrics): unknown {
  if (daemon.book.notifier === null) return [];
  const clock = { nowUs: () => nowUs, sleep: () => Promise.resolve() };
  return new Outbox(daemon.store.db, { clock, metrics }).stats();
}

function timeOrNull(timeUs: number): string | null {
  return Number.isFinite(timeUs) ? formatUs(timeUs) : null;
}
