import type { Command } from 'commander';
import { type Config, requireConfig } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf, WeirError } from '../core/errors.ts';
import { EXIT_DAMAGED, EXIT_UNREADABLE } from '../core/exit.ts';
import { collectOften, mapLargeBuffers } from '../core/heap.ts';
import { createLogger, type Logger } from '../core/logger.ts';
import { Metrics } from '../core/metrics.ts';
import { LineWriter } from '../core/output.ts';
import { ServiceManager } from '../core/service-manager.ts';
import { parseDurationUs } from '../core/units.ts';
import { Daemon } from '../daemon/daemon.ts';
import { learnHome } from '../daemon/learn-home.ts';
import type { DaemonOptions, DaemonPorts } from '../daemon/ports.ts';
import { SavedRun } from '../daemon/running-state.ts';
import { statusOf } from '../daemon/status.ts';
import { type DeskReport, ForecastDesk } from '../forecast/forecast.ts';
import type { Prefix } from '../model/address.ts';
import { Checkpoints, SqliteForecastJournal } from '../store/store.ts';
import { Dashboard } from './dashboard.ts';
import { EventHours } from './event-hours.ts';
import { Housekeeping } from './housekeeping.ts';
import { PlotBook } from './plot-book.ts';
import { ReplaySession } from './replay-session.ts';
import { requireRules, rulePaths } from './rule-option.ts';
import { earlier, endEarlierSelf, openSelfWatch } from './run-self.ts';
import { interfaceSpeeds, sourcePaths } from './source-option.ts';

interface Options {
  config: string;
  untilDone?: boolean;
  fresh?: boolean;
  drainTimeout: string;
  json?: boolean;
}

/** Kinds of sources that are nothing without their files. */
const FILES = new Set(['capture', 'directory', 'load']);

const EXAMPLES = `
Examples:
  weir run -c weir.yaml                 read the sources, notify, keep retention and the daily digest going
  weir run -c weir.yaml --until-done    end when the sources are read and the outbox is empty
  weir run -c weir.yaml --fresh         leave the checkpoint and read the sources from their start

Signals: TERM and INT end in order (checkpoint, deliveries), the second one at once; HUP reloads configuration and
rules; USR1 prints the status as one JSON line on standard error.`;

export function runCommand(program: Command): void {
  program
    .command('run')
    .description('Run a configuration: sources, rules, notifications, retention, daily digest.')
    .requiredOption('-c, --config <FILE>', 'configuration')
    .option('--until-done', 'end when finite sources are read, windows closed and the outbox empty')
    .option('--fresh', 'begin anew, without the checkpoint of an earlier run')
    .option('--drain-timeout <TIME>', 'how long to wait for notifications at the end', '30s')
    .option('--json', 'one JSON line an alert transition')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(options: Options): Promise<void> {
  collectOften();
  await mapLargeBuffers();
  const config = requireConfig(options.config);
  const drainUs = parseDurationUs(options.drainTimeout);
  if (!(drainUs > 0))
    throw new WeirError('usage.drain', `--drain-timeout ${options.drainTimeout} is no time`, { hint: '30s' });
  const logger = createLogger(options.untilDone ? 'warn' : 'info');
  const metrics = new Metrics();
  const plots = new PlotBook();
  const out = new LineWriter();
  const session = new ReplaySession(out, {
    json: options.json === true,
    store: null,
    notifier: null,
    plots,
    speedOf: interfaceSpeeds(config),
  });
  const service = new ServiceManager({}, { logger });
  await service.start();
  const house = new Housekeeping({
    config: () => daemon.config,
    notifier: () => daemon.book.notifier,
    flush: () => daemon.store.history.flush(),
    publish: () => publish(daemon),
    metrics,
    logger,
  });
  const dashboard = options.untilDone ? null : openDashboard(config, () => daemon, { metrics, logger });
  const self = options.untilDone ? null : openSelfWatch(config, () => daemon, { metrics, dashboard });
  let shown = false;
  const ready = async () => {
    if (!options.untilDone) await house.restart();
    if (!shown) dashboard?.book.recall(earlier(daemon));
    if (!shown && self) endEarlierSelf(daemon, self);
    if (!shown) self?.start();
    if (!shown) await dashboard?.start().catch((error) => logger.error({ code: 'web.listen' }, messageOf(error)));
    shown = true;
  };
  const daemon: Daemon = new Daemon(await daemonOptions(options, config, drainUs / 1000, session), {
    ...portsOf({
      metrics,
      logger,
      plots,
      session,
      out,
      service,
      dashboard,
      ready,
      past: () => house.publish(),
      config,
    }),
    self,
  });
  const release = handleSignals(daemon, metrics);
  try {
    await daemon.run();
  } finally {
    await house.stop();
    self?.stop();
    await dashboard?.stop();
    service.stop();
    release();
  }
  if (options.untilDone) {
    session.end({ engine: daemon.engine, errors: daemon.sources.errors }, config.sources.length);
    process.exitCode = exitCode(daemon, config.sources.length);
  }
  out.close();
}

function publish({ engine, store }: Daemon): DeskReport {
  return new ForecastDesk({}, { loads: engine.loads, journal: new SqliteForecastJournal(store.db) }).publish();
}

/** The page of the run, its API and metrics. */
function openDashboard(
  config: Config,
  daemon: () => Daemon,
  { metrics, logger }: { metrics: Metrics; logger: Logger },
): Dashboard {
  const ports = {
    status: () => statusOf(daemon(), metrics, systemClock.nowUs()),
    forecast: (name: string, steps: number) => daemon().engine.loads.get(name)?.model.forecast(steps) ?? null,
    allTalkers: false,
  };
  return new Dashboard(config, ports, { metrics, logger, trouble: () => daemon().trouble });
}

/** Rules for the home nets: configured, else those of the checkpoint, else learned from the files that are there. */
async function daemonOptions(
  options: Options,
  config: Config,
  drainMs: number,
  session: ReplaySession,
): Promise<DaemonOptions> {
  const onlyFiles = config.sources.every(({ type }) => FILES.has(type));
  const paths = options.untilDone && onlyFiles ? sourcePaths(config) : filesNow(config);
  const known = config.home ?? (options.fresh ? null : savedHome(config));
  const learned = known ? { home: known, learned: false } : await learnHome(paths);
  const nets = config.home ? { home: learned.home } : { defaultHome: learned.home };
  const rules = requireRules(rulePaths(undefined, config.rules), nets);
  session.hooks.home(rules.home, learned.learned, rules.rules.length);
  return {
    configPath: options.config,
    config,
    home: learned.home,
    rules,
    untilDone: options.untilDone === true,
    fresh: options.fresh === true,
    drainMs,
  };
}

function filesNow(config: Config): string[] {
  try {
    return sourcePaths(config).filter((path) => path !== '-');
  } catch {
    return [];
  }
}

function savedHome(config: Config): Prefix[] | null {
  const found = new Checkpoints(config.store.path).newest();
  return found ? new SavedRun(found.body).facts.home : null;
}

interface Parts {
  metrics: Metrics;
  logger: Logger;
  plots: PlotBook;
  session: ReplaySession;
  out: LineWriter;
  service: ServiceManager;
  /** A configuration is in force. */
  ready: () => Promise<void>;
  /** Publishes forecasts while the run catches up on the past. */
  past: () => void;
  config: Config;
  /** Null: the run ends by itself, nobody looks on. */
  dashboard: Dashboard | null;
}

function portsOf({
  metrics,
  logger,
  plots,
  session,
  out,
  service,
  ready,
  past,
  config,
  dashboard,
}: Parts): DaemonPorts {
  const { hooks } = session;
  const hours = new EventHours(past, () => systemClock.nowUs(), parseDurationUs(config.forecast.step));
  return {
    clock: systemClock,
    metrics,
    logger,
    plot: async (transition) => plots.find(transition),
    fresh: (transition) => {
      hooks.transition(transition);
      dashboard?.transition(transition);
      out.flush();
    },
    sinks: {
      evaluation: hooks.evaluation,
      records: dashboard ? (batch) => dashboard.records(batch) : hooks.records,
      series: (name, timeUs, value) => {
        dashboard?.point(name, timeUs, value);
        hours.point(timeUs);
      },
    },
    phase: (phase, text) => {
      if (phase === 'ready') {
        service.ready(text);
        service.startWatchdog();
        void ready();
      }
      if (phase === 'reloading') service.reloading(text);
      if (phase === 'stopping') service.stopping(text);
    },
  };
}

/** @returns a function that gives the signals back */
function handleSignals(daemon: Daemon, metrics: Metrics): () => void {
  let stopping = false;
  const stop = (code: number) => () => {
    if (stopping) process.exit(code);
    stopping = true;
    daemon.stop();
  };
  const status = () => process.stderr.write(`${JSON.stringify(statusOf(daemon, metrics, systemClock.nowUs()))}\n`);
  const handlers: [NodeJS.Signals, () => void][] = [
    ['SIGTERM', stop(143)],
    ['SIGINT', stop(130)],
    ['SIGHUP', () => daemon.reload()],
    ['SIGUSR1', status],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

function exitCode({ engine, sources: { errors } }: Daemon, sources: number): number {
  if (errors.length === 0) return 0;
  const nothing = engine.packets === 0 && !Number.isFinite(engine.maxEventUs);
  return nothing && errors.length >= sources ? EXIT_UNREADABLE : EXIT_DAMAGED;
}
