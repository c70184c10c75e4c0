import type { Command } from 'commander';
import { schedule, validate } from 'node-cron';
import { type Config, requireConfig } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import { WeirError } from '../core/errors.ts';
import { createLogger } from '../core/logger.ts';
import { Metrics } from '../core/metrics.ts';
import { LineWriter } from '../core/output.ts';
import { parseBytes, parseDurationUs } from '../core/units.ts';
import { Names } from '../model/names.ts';
import { replay } from '../pipeline.ts';
import { applyRetention } from '../store/store.ts';
import { collectDigest } from './digest.ts';
import { Notifier } from './notifier.ts';
import { PlotBook } from './plot-book.ts';
import { ReplaySession } from './replay-session.ts';
import { ReplayStore } from './replay-store.ts';
import { requireRules, rulePaths } from './rule-option.ts';
import { interfaceSpeeds, sourcePaths } from './source-option.ts';
import { historyPath } from './store-option.ts';

interface Options {
  config: string;
  untilDone?: boolean;
  drainTimeout: string;
  json?: boolean;
}

const EVERY_HOUR = '7 * * * *';

const EXAMPLES = `
Examples:
  weir run -c weir.yaml                 read the sources, notify, then keep retention and the daily digest going
  weir run -c weir.yaml --until-done    end when the sources are read and the outbox is empty`;

export function runCommand(program: Command): void {
  program
    .command('run')
    .description('Run a configuration: sources, rules, notifications, retention, daily digest.')
    .requiredOption('-c, --config <FILE>', 'configuration')
    .option('--until-done', 'end when finite sources are read, windows closed and the outbox empty')
    .option('--drain-timeout <TIME>', 'how long to wait for notifications at the end', '30s')
    .option('--json', 'one JSON line an alert transition')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const config = requireConfig(options.config);
  const drainUs = parseDurationUs(options.drainTimeout);
  if (!(drainUs > 0))
    throw new WeirError('usage.drain', `--drain-timeout ${options.drainTimeout} is no time`, { hint: '30s' });
  const deps = { names: new Names(), metrics: new Metrics(), clock: systemClock };
  const paths = sourcePaths(config);
  const store = new ReplayStore(config.store.path, paths, deps);
  await store.start();
  const plots = new PlotBook();
  const notifier = config.channels.length > 0 ? openNotifier(config, store, plots, deps.metrics, drainUs / 1000) : null;
  const out = new LineWriter();
  const interfaceSpeed = interfaceSpeeds(config);
  const session = new ReplaySession(out, {
    json: options.json === true,
    store,
    notifier,
    plots,
    speedOf: interfaceSpeed,
  });
  const outcome = await replay(
    {
      paths,
      home: config.home,
      speed: Number.POSITIVE_INFINITY,
      interfaceSpeed,
      rules: (nets) =>
        requireRules(rulePaths(undefined, config.rules), config.home ? { home: nets } : { defaultHome: nets }),
    },
    session.hooks,
    deps,
  );
  session.end(outcome, paths.length);
  out.flush();
  if (!options.untilDone) await keepHouse(config, store, notifier, deps.metrics);
  await notifier?.drain();
  await store.stop();
  out.close();
}

function openNotifier(
  config: Config,
  store: ReplayStore,
  plots: PlotBook,
  metrics: Metrics,
  drainMs: number,
): Notifier {
  const notifier = new Notifier(config, store.db, { metrics, plot: async (t) => plots.find(t), drainMs });
  notifier.start();
  return notifier;
}

/** What goes on by the wall clock until somebody says stop: retention every hour, the digest when it is due. */
async function keepHouse(
  config: Config,
  store: ReplayStore,
  notifier: Notifier | null,
  metrics: Metrics,
): Promise<void> {
  const logger = createLogger(process.env['WEIR_LOG_LEVEL'] ?? 'info');
  if (!validate(config.digest.schedule)) {
    throw new WeirError('config.digest', `digest.schedule: ${config.digest.schedule} is no cron expression`);
  }
  await store.flush();
  const { age, size } = config.store.retention;
  const retention = { ageUs: parseDurationUs(age), size: parseBytes(size) };
  const tasks = [
    schedule(EVERY_HOUR, () => {
      const { hours, bytes } = applyRetention(historyPath({}, config), retention, systemClock.nowUs());
      if (hours.length > 0) logger.info({ code: 'store.retention', hours: hours.length, bytes });
    }),
  ];
  if (notifier && config.digest.to.length > 0) {
    tasks.push(
      schedule(config.digest.schedule, async () => {
        const digest = await collectDigest(config.store.path, systemClock.nowUs(), metrics);
        notifier.enqueueDigest(digest, config.digest.to);
        logger.info({ code: 'notify.digest', until: digest.until });
      }),
    );
  }
  await stopSignal();
  for (const task of tasks) await task.destroy();
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
