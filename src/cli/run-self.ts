import type { Config } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import { labelled, type Metrics } from '../core/metrics.ts';
import { parseDurationUs } from '../core/units.ts';
import type { Daemon } from '../daemon/daemon.ts';
import { orphanResolved } from '../daemon/own-alert.ts';
import type { Transition } from '../model/alert.ts';
import { readTransitions } from '../store/store.ts';
import type { Dashboard } from './dashboard.ts';
import { selfRules } from './rule-option.ts';
import { SelfWatch } from './self-watch.ts';

const RECENT = 200;

/** Watches a running daemon; null where the configuration does not want it. Begins with `start`. */
export function openSelfWatch(
  config: Config,
  daemon: () => Daemon,
  { metrics, dashboard }: { metrics: Metrics; dashboard: Dashboard | null },
): SelfWatch | null {
  if (!config.self.watch) return null;
  measure(config, daemon, metrics);
  return new SelfWatch(
    { rules: selfRules(), intervalMs: parseDurationUs(config.self.interval) / 1000 },
    {
      metrics,
      nowUs: () => systemClock.nowUs(),
      tell: (transition) => daemon().book.tell(transition),
      point: (name, timeUs, value) => dashboard?.point(name, timeUs, value),
    },
  );
}

/** What earlier runs told, for the page: what still fires, then the latest. */
export function earlier(daemon: Daemon): Transition[] {
  const { db } = daemon.store;
  const recent = readTransitions(db, { limit: RECENT });
  const known = new Set(recent.map(({ alertId }) => alertId));
  return [...readTransitions(db, { active: true }).filter(({ alertId }) => !known.has(alertId)), ...recent];
}

/** What an earlier run said of itself, and this one does not know of, is over: nobody would ever end it. */
export function endEarlierSelf(daemon: Daemon, self: SelfWatch): void {
  const nowUs = systemClock.nowUs();
  const { active } = self;
  for (const last of readTransitions(daemon.store.db, { active: true })) {
    if (last.tags.includes('self') && !active.has(last.alertId))
      daemon.book.tell(orphanResolved(last, nowUs, 'weir was restarted'));
  }
}

function measure(config: Config, daemon: () => Daemon, metrics: Metrics): void {
  const gauge = (name: string, help: string, read: () => number) => metrics.gauge(name, help).from(read);
  gauge('weir_checkpoint_age_seconds', 'Since the last complete checkpoint.', () => daemon().checkpointer.ageSeconds);
  gauge('weir_active_alerts', 'Alerts that fire or are about to.', () => daemon().engine.alerts.active().length);
  gauge('weir_active_rules', 'Rules in force.', () => daemon().ruleCount);
  for (const { name } of config.sources) {
    const silent = labelled('weir_source_silent_seconds', { source: name });
    gauge(silent, 'Since the last row of a live source.', () => daemon().time.silentSeconds(name));
  }
}
