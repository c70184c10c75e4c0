import { type Command, Option } from 'commander';
import { renderTransition } from '../alert/alert.ts';
import { requireConfig } from '../config.ts';
import { WeirError } from '../core/errors.ts';
import { LineWriter, wantsColour } from '../core/output.ts';
import { formatUs, parseTimeUs } from '../core/time.ts';
import { SEVERITIES } from '../model/plan.ts';
import { openState, readTransitions } from '../store/store.ts';
import { storeFolder } from './store-option.ts';

interface Options {
  config?: string;
  store?: string;
  since?: string;
  until?: string;
  rule?: string;
  severity?: string;
  active?: boolean;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  weir alerts -c weir.yaml                      every stored transition, in order
  weir alerts --store state/ --active           what fires now
  weir alerts -c weir.yaml --rule syn-flood --since 2026-11-24 --json`;

export function alertsCommand(program: Command): void {
  program
    .command('alerts')
    .description('Print stored alert transitions.')
    .option('-c, --config <FILE>', 'configuration whose store to read')
    .option('--store <DIR>', 'store folder to read')
    .option('--since <TIME>', 'at or after this event time')
    .option('--until <TIME>', 'before this event time')
    .option('--rule <ID>', 'of this rule only')
    .addOption(new Option('--severity <LEVEL>', 'of this severity only').choices([...SEVERITIES]))
    .option('--active', 'the newest transition of each alert that fires')
    .option('--json', 'one JSON object a line, as weir replay prints them')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

function run(options: Options): void {
  const folder = storeFolder(options, options.config ? requireConfig(options.config) : null);
  const db = openState(folder, { readOnly: true });
  const { rule, severity, active } = options;
  const filter = { rule, severity, active, since: isoOption(options.since), until: isoOption(options.until) };
  const out = new LineWriter();
  for (const transition of readTransitions(db, filter)) {
    if (options.json) out.json(transition);
    else for (const line of renderTransition(transition, { colour: wantsColour() })) out.line(line);
  }
  out.close();
  db.close();
}

function isoOption(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = parseTimeUs(text);
  if (Number.isNaN(time)) throw new WeirError('usage.time', `${text} is no time`, { hint: '2026-11-24T03:00' });
  return formatUs(time);
}
