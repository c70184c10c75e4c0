import { type Command, Option } from 'commander';
import { type Config, requireConfig } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import { WeirError } from '../core/errors.ts';
import { EXIT_DAMAGED, EXIT_OK, EXIT_UNREADABLE } from '../core/exit.ts';
import { mapLargeBuffers } from '../core/heap.ts';
import { Metrics } from '../core/metrics.ts';
import { LineWriter } from '../core/output.ts';
import { parseDurationUs } from '../core/units.ts';
import { type LogReader, SortedLogs } from '../log/log.ts';
import { type Prefix, parsePrefix } from '../model/address.ts';
import type { PlotSource } from '../model/alert.ts';
import { Names } from '../model/names.ts';
import { type ReplayOutcome, replay } from '../pipeline.ts';
import { addInputOptions, type InputOptions, inputPaths } from './inputs.ts';
import { configuredFormats, logNotices, openLog, partLogs } from './log-inputs.ts';
import { Notifier } from './notifier.ts';
import { PlotBook } from './plot-book.ts';
import { notice } from './progress.ts';
import { ReplayDashboard } from './replay-dashboard.ts';
import { ReplaySession } from './replay-session.ts';
import { ReplayStore } from './replay-store.ts';
import { requireRules, rulePaths } from './rule-option.ts';
import { interfaceSpeeds, sourcePaths } from './source-option.ts';

/** How long a replay waits for its notifications at the end. */
const DRAIN_MS = 30_000;
const MOST_WORKERS = 16;

interface Options extends InputOptions {
  config?: string;
  rules?: string[];
  speed: string;
  home?: string;
  store?: string;
  notify?: boolean;
  reader?: 'pcap-parser';
  workers?: number;
  tunnels: boolean;
  dashboard: boolean;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  weir replay capture.pcapng                      any capture, with the shipped rules
  weir replay captures/*.pcap.gz --json           one JSON line an alert transition
  weir replay conn.log                            a flow log: Zeek, Suricata EVE, VPC, nfdump, GoFlow2
  weir replay day.pcap --home 203.0.113.0/24      say which networks are yours
  weir replay day.pcap --rules my-rules/ --speed 10x
  weir replay -c weir.yaml --notify               its sources, rules, store; alerts by mail and webhook
  tcpdump -w - -i eth0 | weir replay -

Without --home, private and documentation networks are home; if the traffic touches none, home is learned.`;

export function replayCommand(program: Command): void {
  const command = program
    .command('replay')
    .description('Replay captures through the whole pipeline: alerts, top talkers, load forecast.');
  addInputOptions(command)
    .option('-c, --config <FILE>', 'take sources, rules, nets and store from this configuration')
    .option('--rules <PATH...>', 'rule files or folders (default: the shipped library)')
    .option('--speed <SPEED>', 'max, or as fast as it was: 1x, 10x', 'max')
    .option('--home <CIDRS>', 'networks that are yours, joined by commas')
    .option('--store <DIR>', 'keep flows, series and alerts there')
    .option('--notify', 'deliver alerts through the channels of the configuration')
    .addOption(new Option('--reader <NAME>', 'second, independent reader of classic pcap').choices(['pcap-parser']))
    .option(
      '--workers <N>',
      'threads beside the main one: the first reads and meters, others take part of the rules (default: 1 for large captures)',
      parseWorkers,
    )
    .option('--no-tunnels', 'do not look into tunnels')
    .option('--no-dashboard', 'do not serve the page of http.listen while it runs')
    .option('--json', 'one JSON line an alert transition')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(files: string[], options: Options): Promise<void> {
  await mapLargeBuffers();
  const config = options.config ? requireConfig(options.config) : null;
  const paths = files.length > 0 || options.filesFrom ? inputPaths(files, options) : sourcePaths(config);
  const speed = parseSpeed(options.speed);
  const home = parseHome(options.home) ?? config?.home ?? null;
  const rules = rulePaths(options.rules, config?.rules);
  const deps = { names: new Names(), metrics: new Metrics(), clock: systemClock };
  const store = await openStore(options, config, paths, deps);
  const plots = new PlotBook();
  const notifier = options.notify ? openNotifier(config, store, plots, deps.metrics) : null;
  const out = new LineWriter();
  const interfaceSpeed = interfaceSpeeds(config);
  const session = new ReplaySession(out, {
    json: options.json === true,
    store,
    notifier,
    plots,
    speedOf: interfaceSpeed,
  });
  const { logs: found, others } = await partLogs(paths, configuredFormats(config));
  const readers = await Promise.all(found.map((log) => openLog(log, deps.names)));
  const logs = readers.length > 0 ? new SortedLogs(readers) : undefined;
  const { reader, tunnels, workers } = options;
  const thread = workers === undefined ? undefined : workers > 0;
  const ruleThreads = Math.max(0, (workers ?? 1) - 1);
  const { forecast: calendar } = config ?? {};
  const loadStepUs = calendar && parseDurationUs(calendar.step);
  const input = { paths: others, logs, home, speed, reader, tunnels, thread, ruleThreads, calendar, loadStepUs };
  const dashboard = config && options.dashboard && !options.json ? new ReplayDashboard(config, deps) : null;
  await dashboard?.start();
  const outcome = await replay(
    { ...input, interfaceSpeed, rules: (nets) => requireRules(rules, home ? { home } : { defaultHome: nets }) },
    dashboard?.watch(session.hooks) ?? session.hooks,
    deps,
  );
  session.end(outcome, paths.length);
  for (const reader of readers) for (const line of logNotices(reader)) notice(line);
  await notifier?.drain();
  await store?.stop();
  out.close();
  await dashboard?.end(outcome.engine);
  process.exitCode = exitCode(outcome, paths.length, readers);
}

/** `max` is as fast as possible, `10x` ten times as fast as it was. */
function parseSpeed(text: string): number {
  const match = /^(\d+(?:\.\d+)?)x$/.exec(text);
  if (text === 'max') return Number.POSITIVE_INFINITY;
  if (match && Number(match[1]) > 0) return Number(match[1]);
  throw new WeirError('usage.speed', `--speed ${text} is no speed`, { hint: 'max, 1x, 10x, 0.5x' });
}

function parseWorkers(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= MOST_WORKERS) return count;
  throw new WeirError('usage.workers', `--workers ${text}: a number from 0 to ${MOST_WORKERS} is needed`);
}

function parseHome(text: string | undefined): Prefix[] | null {
  if (text === undefined) return null;
  return text.split(',').map((item) => {
    const prefix = parsePrefix(item.trim());
    if (prefix) return prefix;
    throw new WeirError('usage.home', `--home: ${item} is no network`, { hint: '192.0.2.0/24 or 2001:db8::/32' });
  });
}

async function openStore(
  options: Options,
  config: Config | null,
  paths: string[],
  deps: { names: Names; metrics: Metrics },
): Promise<ReplayStore | null> {
  const folder = options.store ?? config?.store.path;
  if (folder === undefined) return null;
  const store = new ReplayStore(folder, paths, deps);
  await store.start();
  return store;
}

function openNotifier(config: Config | null, store: ReplayStore | null, plots: PlotBook, metrics: Metrics): Notifier {
  if (config === null || store === null) {
    throw new WeirError('usage.notify', '--notify needs a configuration', { hint: '-c weir.yaml with channels:' });
  }
  const plot: PlotSource = async (transition) => plots.find(transition);
  const notifier = new Notifier(config, store.db, { metrics, plot, drainMs: DRAIN_MS });
  notifier.start();
  return notifier;
}

function exitCode({ engine, errors }: ReplayOutcome, inputs: number, logs: readonly LogReader[]): number {
  if (errors.length === 0) return EXIT_OK;
  const rows = logs.reduce((sum, reader) => sum + reader.rows, engine.packets);
  return rows === 0 && errors.length >= inputs ? EXIT_UNREADABLE : EXIT_DAMAGED;
}
