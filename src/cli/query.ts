import { type Command, Option } from 'commander';
import { requireConfig } from '../config.ts';
import { type Finding, WeirError } from '../core/errors.ts';
import { LineWriter } from '../core/output.ts';
import { formatUs, parseTimeUs } from '../core/time.ts';
import { formatNumber, parseDurationUs } from '../core/units.ts';
import type { KeyPart } from '../model/plan.ts';
import { parseKey, parsePredicate } from '../rule/rule.ts';
import { type FlowQuery, HistoryReader, type TopRow } from '../store/store.ts';
import { flowObject } from './flow-object.ts';
import { historyPath } from './store-option.ts';
import { table } from './table.ts';

interface Options {
  config?: string;
  store?: string;
  since?: string;
  until?: string;
  by?: string;
  top: string;
  order: 'bytes' | 'packets' | 'flows';
  json?: boolean;
}

const EXAMPLES = `
Examples:
  weir query --store state/                                      the newest flows first to last
  weir query "src net 192.0.2.0/24 and dst port 53" --json       matching flow records, one a line
  weir query "proto tcp and flags S and not flags A" --by src.ip --top 10
  weir query --since 2h --by dst.ip/24,dst.port --order packets  busiest services of the last two stored hours

The filter is the match grammar of rules (docs/rules.md). --since and --until take a time (2026-11-24T03:00) or a
duration before the newest stored flow (2h).`;

export function queryCommand(program: Command): void {
  program
    .command('query')
    .description('Ask the stored flow history: list flows, or add them up by any fields.')
    .argument('[filter]', 'which rows, in the match grammar of rules', '')
    .option('-c, --config <FILE>', 'configuration whose store to ask')
    .option('--store <DIR>', 'store folder to ask')
    .option('--since <TIME>', 'flows alive at or after this time')
    .option('--until <TIME>', 'flows that began before this time')
    .option('--by <FIELDS>', 'add up by these fields, e.g. src.ip,dst.port or dst.ip/24')
    .option('--top <N>', 'how many rows', '20')
    .addOption(new Option('--order <WHAT>', 'largest first by').choices(['bytes', 'packets', 'flows']).default('bytes'))
    .option('--json', 'one JSON object a line')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(filter: string, options: Options): Promise<void> {
  const config = options.config ? requireConfig(options.config) : null;
  const reader = new HistoryReader(historyPath(options, config));
  const findings: Finding[] = [];
  const parsed = parsePredicate(filter, { nets: config?.home ? { home: config.home } : {} });
  if (filter !== '') findings.push(...parsed.findings);
  const by = options.by === undefined ? null : parseKey(options.by);
  if (by) findings.push(...by.findings);
  refuse(findings);
  const limit = Number(options.top);
  if (!Number.isInteger(limit) || limit < 1)
    throw new WeirError('usage.top', `--top ${options.top} is no number of rows`);
  const newest = await reader.newestUs();
  const query: FlowQuery = {
    predicate: parsed.predicate,
    sinceUs: timeOption(options.since, newest, Number.NEGATIVE_INFINITY),
    untilUs: timeOption(options.until, newest, Number.POSITIVE_INFINITY),
    limit,
  };
  const out = new LineWriter();
  if (by) await printTop(reader, query, by.key, options, out);
  else await printFlows(reader, query, options, out);
  out.close();
  reader.close();
}

function refuse(findings: Finding[]): void {
  if (findings.length === 0) return;
  const text = findings.map((f) => `column ${f.column}: ${f.message}${f.hint ? ` (${f.hint})` : ''}`).join('\n  ');
  throw new WeirError('usage.filter', `the filter has errors:\n  ${text}`);
}

function timeOption(text: string | undefined, newestUs: number, none: number): number {
  if (text === undefined) return none;
  const duration = parseDurationUs(text);
  if (duration > 0) return newestUs - duration;
  const time = parseTimeUs(text);
  if (Number.isNaN(time)) {
    throw new WeirError('usage.time', `${text} is no time`, { hint: '2026-11-24T03:00 or 2h' });
  }
  return time;
}

async function printTop(reader: HistoryReader, query: FlowQuery, by: KeyPart[], options: Options, out: LineWriter) {
  const rows = await reader.top({ ...query, by, order: options.order });
  if (options.json) {
    for (const { key, packets, bytes, flows, firstUs, lastUs } of rows) {
      out.json({ key, packets, bytes, flows, first: formatUs(firstUs), last: formatUs(lastUs) });
    }
    return;
  }
  const fields = by.map((part) => part.field);
  const total = rows.reduce((sum, row) => sum + row[options.order], 0);
  for (const line of table(
    [...fields, 'bytes', 'packets', 'flows', 'share'],
    rows.map((row) => topCells(row, total, options.order)),
  )) {
    out.line(line);
  }
}

function topCells(row: TopRow, total: number, order: Options['order']): string[] {
  const share = total > 0 ? `${Math.round((100 * row[order]) / total)}%` : '';
  const keys = Object.values(row.key).map((value) => String(value ?? '-'));
  return [...keys, formatNumber(row.bytes), formatNumber(row.packets), formatNumber(row.flows), share];
}

async function printFlows(reader: HistoryReader, query: FlowQuery, options: Options, out: LineWriter) {
  const rows = (await reader.flows(query)).map(flowObject);
  if (options.json) {
    for (const row of rows) out.json(row);
    return;
  }
  const header = ['start', 'proto', 'source', 'destination', 'packets', 'bytes', '<- packets', '<- bytes'];
  const cells = rows.map((row) => [
    String(row['flowStart']).slice(0, 23).replace('T', ' '),
    String(row['protocolIdentifier'] ?? '-'),
    endpoint(row['sourceAddress'], row['sourceTransportPort']),
    endpoint(row['destinationAddress'], row['destinationTransportPort']),
    formatNumber(Number(row['packetDeltaCount'])),
    formatNumber(Number(row['octetDeltaCount'])),
    formatNumber(Number(row['reversePacketDeltaCount'] ?? 0)),
    formatNumber(Number(row['reverseOctetDeltaCount'] ?? 0)),
  ]);
  for (const line of table(header, cells)) out.line(line);
}

function endpoint(address: unknown, port: unknown): string {
  if (address === undefined) return '-';
  if (port === undefined) return String(address);
  return String(address).includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
