import { printable, shellQuoted } from '../core/text.ts';
import { formatNumber } from '../core/units.ts';
import type { EvidenceItem, Transition } from '../model/alert.ts';
import { describeFlow, describeShare } from '../model/evidence-text.ts';
import { describeKey } from '../model/key-text.ts';
import type { Severity } from '../model/plan.ts';

const RESET = '\u001b[0m';
const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';
const GREEN = '\u001b[32m';
const SEVERITY_COLOUR: Record<Severity, string> = {
  info: '\u001b[36m',
  warning: '\u001b[33m',
  critical: '\u001b[1;31m',
};
const MOST_ITEMS = 5;
const MOST_FLOWS = 3;

/** A transition as lines for people at a terminal. Only the first line stands at the margin. */
export function renderTransition(t: Transition, options: { colour: boolean }): string[] {
  const paint = (code: string, text: string) => (options.colour ? `${code}${text}${RESET}` : text);
  const colour = t.state === 'resolved' ? GREEN : SEVERITY_COLOUR[t.severity];
  const head = `${t.severity.toUpperCase()} ${t.state}`.padEnd(20);
  const lines = [
    `${paint(colour, head)} ${shortTime(t.time)}  ${paint(BOLD, printable(t.title))}  ${printable(describeKey(t.key))}`,
  ];
  const add = (label: string, text: string) => lines.push(`  ${paint(DIM, label.padEnd(9))}${printable(text)}`);
  add('measured', withoutHead(t));
  for (const item of t.evidence) for (const [label, text] of evidenceLines(item)) add(label, text);
  if (t.state === 'firing' || t.state === 'escalated') {
    if (t.filter !== '') add('look', `weir query ${shellQuoted(t.filter)}`);
    if (t.advice !== '') add('do', t.advice);
  }
  return lines;
}

/** Title and key stand in the first line already. */
function withoutHead(t: Transition): string {
  const head = `${t.title}: ${describeKey(t.key)}`;
  if (!t.summary.startsWith(head)) return t.summary;
  return t.summary.slice(head.length).replace(/^: /, '') || t.state;
}

function evidenceLines(item: EvidenceItem): [string, string][] {
  if ('flows' in item) return item.flows.slice(0, MOST_FLOWS).map((flow) => ['flow', describeFlow(flow)]);
  if (item.items.length === 0) return [];
  const tops = item.items.slice(0, MOST_ITEMS).map((each) => `${each.value} ${describeShare(each.share)}`);
  const total = item.items.reduce((sum, each) => sum + each.amount, 0);
  return [['top', `${item.topk} by ${item.by}: ${tops.join(', ')} (${formatNumber(total)} together)`]];
}

/** `2017-09-10 17:52:28Z`: a person needs no microseconds. */
function shortTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;
}
