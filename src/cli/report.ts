import type { LineWriter } from '../core/output.ts';
import { formatUs } from '../core/time.ts';
import { formatDuration, formatNumber, formatQuantity } from '../core/units.ts';
import type { Engine } from '../engine.ts';
import { formatPrefix } from '../model/address.ts';
import { SEVERITIES, type Severity } from '../model/plan.ts';
import type { Key } from '../model/window-result.ts';
import { loadPicture } from './load-picture.ts';
import { table } from './table.ts';
import type { Talkers } from './talkers.ts';

const TOP_TALKERS = 5;
const NEXT = [
  'npm run weir -- replay FILE...             your own captures (pcap, pcapng, .gz, .zst, - for standard input)',
  'npm run weir -- replay FILE --store state/ and then: weir query, weir alerts, weir forecast',
  'tcpdump -w - -i eth0 | npm run --silent weir -- replay -     your own interface, until you stop it',
  'npm run weir -- --help                     every command',
];

export interface RunFacts {
  files: number;
  seconds: number;
  rules: number;
  /** What `if_speed` is for a key. */
  speedOf: (key: Key) => number;
  raised: Map<string, { title: string; severity: string; count: number }>;
}

/** What people read when a replay ends: alerts by rule, top talkers, load forecast, the run in a line, what to try next. */
export function printReport(out: LineWriter, engine: Engine, talkers: Talkers, facts: RunFacts): void {
  section(out, 'Alerts by rule', alertLines(facts));
  section(out, 'Top talkers', talkerLines(talkers));
  section(
    out,
    'Load forecast',
    loadPicture(engine.loads, (exporter, port) => facts.speedOf({ exporter, in_if: port })),
  );
  section(out, 'Run', runLines(engine, facts));
  section(out, 'Next', NEXT);
}

function section(out: LineWriter, title: string, lines: string[]): void {
  out.line('');
  out.line(title);
  for (const line of lines) out.line(line === '' ? '' : `  ${line}`);
}

function alertLines(facts: RunFacts): string[] {
  if (facts.raised.size === 0) return [`none; ${facts.rules} rules found nothing abnormal`];
  const rank = (severity: string) => SEVERITIES.indexOf(severity as Severity);
  const raised = [...facts.raised].sort(([, a], [, b]) => rank(b.severity) - rank(a.severity));
  const rows = raised.map(([rule, { title, severity, count }]) => [severity, rule, String(count), title]);
  return table(['severity', 'rule', 'alerts', 'what it is'], rows);
}

function talkerLines(talkers: Talkers): string[] {
  const top = talkers.top(TOP_TALKERS);
  if (top.length === 0) return ['no packets with addresses'];
  const rows = top.map((talker) => [
    talker.address,
    formatQuantity(talker.sent, 'bytes'),
    formatQuantity(talker.received, 'bytes'),
    formatNumber(talker.flows),
  ]);
  return table(['address', 'sent', 'received', 'flows'], rows);
}

function runLines(engine: Engine, facts: RunFacts): string[] {
  const rate = formatNumber(Math.round(engine.packets / Math.max(facts.seconds, 0.001)));
  const files = `${facts.files} ${facts.files === 1 ? 'file' : 'files'}`;
  const lines = [
    `${formatNumber(engine.packets)} packets of ${files} in ${facts.seconds.toFixed(1)} s (${rate} packets/s)`,
  ];
  if (Number.isFinite(engine.maxEventUs) && Number.isFinite(engine.firstEventUs)) {
    const span = formatDuration(engine.maxEventUs - engine.firstEventUs);
    lines.push(
      `traffic of ${span}, ${formatUs(engine.firstEventUs).slice(0, 19)}Z to ${formatUs(engine.maxEventUs).slice(0, 19)}Z`,
    );
  }
  return lines;
}

export function homeLine(home: Parameters<typeof formatPrefix>[0][]): string {
  return home.map(formatPrefix).join(', ');
}
