import type { Command } from 'commander';
import { type Config, requireConfig } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import { WeirError } from '../core/errors.ts';
import { EXIT_NO } from '../core/exit.ts';
import { Metrics } from '../core/metrics.ts';
import { LineWriter } from '../core/output.ts';
import { formatDuration } from '../core/units.ts';
import { Outbox, sendTest } from '../notify/notify.ts';
import { openState } from '../store/store.ts';
import { openChannels } from './notifier.ts';
import { notice } from './progress.ts';
import { table } from './table.ts';

interface Options {
  config: string;
  channel?: string;
  replay?: boolean;
  json?: boolean;
}

/** As many as an outbox keeps. */
const MOST_LETTERS = 100_000;

const EXAMPLES = `
Examples:
  weir notify test -c weir.yaml               one test message through every channel
  weir notify status -c weir.yaml             what waits, what was delivered, what was given up
  weir notify dead -c weir.yaml --replay      send again what was given up

Exit code 1: a test message did not get through.`;

export function notifyCommand(program: Command): void {
  const notify = program
    .command('notify')
    .description('Look at deliveries, test channels, send again what was given up.')
    .addHelpText('after', EXAMPLES);
  const add = (name: string, description: string) =>
    notify
      .command(name)
      .description(description)
      .requiredOption('-c, --config <FILE>', 'configuration with the channels')
      .option('--channel <NAME>', 'this channel only')
      .option('--json', 'one JSON object a line');
  add('test', 'Send one test message through every channel.').action(test);
  add('status', 'What waits, was delivered, was given up.').action(status);
  add('dead', 'List what was given up.')
    .option('--replay', 'put it back into the outbox: a running weir sends it within seconds')
    .action(dead);
}

function chosen(config: Config, options: Options): string[] {
  const names = config.channels.map((channel) => channel.name);
  if (options.channel === undefined) return names;
  if (names.includes(options.channel)) return [options.channel];
  throw new WeirError('usage.channel', `no channel is named ${options.channel}`, {
    hint: `known: ${names.join(', ')}`,
  });
}

async function test(options: Options): Promise<void> {
  const config = requireConfig(options.config);
  const names = chosen(config, options);
  const out = new LineWriter();
  for (const channel of openChannels(config, new Metrics())) {
    if (!names.includes(channel.name)) continue;
    const outcome = await sendTest(channel, systemClock);
    if (outcome.kind !== 'delivered') process.exitCode = EXIT_NO;
    if (options.json) out.json({ channel: channel.name, ...outcome });
    else
      out.line(`${channel.name}: ${outcome.kind === 'delivered' ? 'delivered' : `${outcome.kind}: ${outcome.error}`}`);
  }
  out.close();
}

function openOutbox(config: Config): Outbox {
  return new Outbox(openState(config.store.path), { clock: systemClock, metrics: new Metrics() });
}

function status(options: Options): void {
  const config = requireConfig(options.config);
  const names = chosen(config, options);
  const stats = openOutbox(config)
    .stats()
    .filter(({ channel }) => names.includes(channel));
  const out = new LineWriter();
  if (options.json) for (const each of stats) out.json(each);
  else {
    const age = (us: number | null) => (us === null ? '' : formatDuration(systemClock.nowUs() - us));
    const rows = stats.map((s) => [s.channel, String(s.waiting), String(s.done), String(s.dead), age(s.oldestUs)]);
    for (const line of table(['channel', 'waiting', 'delivered', 'given up', 'oldest'], rows)) out.line(line);
  }
  out.close();
}

function dead(options: Options): void {
  const config = requireConfig(options.config);
  const outbox = openOutbox(config);
  const out = new LineWriter();
  for (const channel of chosen(config, options)) {
    if (options.replay)
      notice(
        `${channel}: ${outbox.revive(channel)} put back; a running weir sends them within seconds, else the next run`,
      );
    else
      for (const letter of outbox.deadLetters(channel, MOST_LETTERS)) printLetter(out, letter, options.json === true);
  }
  out.close();
}

function printLetter(out: LineWriter, letter: ReturnType<Outbox['deadLetters']>[number], json: boolean): void {
  if (json) out.json(letter);
  else out.line(`${letter.channel}  ${letter.idempotencyKey}  ${letter.attempts} attempts: ${letter.error}`);
}
