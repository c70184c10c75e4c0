import { printable } from '../core/text.ts';
import type { Transition } from '../model/alert.ts';
import { describeKey } from '../model/key-text.ts';
import { SEVERITIES, type Severity } from '../model/plan.ts';
import type { Told } from './content.ts';
import * as html from './mail-layout.ts';
import { COLOURS, colourOf, labelOf, type MailText, measuredText, sentenceOf, shortTime } from './mail-words.ts';

/** Rules named in a subject, and pieces of advice. */
const MOST_NAMES = 3;
const MOST_ADVICE = 3;

/** One alert of the group: what happened to it, in order, and how it stands. */
interface Row {
  last: Told;
  news: string[];
}

/** Alerts of one group as a mail: how many and how bad, then a line for each, the worst first. */
export function groupMail(alerts: readonly Told[], options: { url: string | null }): MailText {
  const rows = rowsOf(alerts);
  const title = `${count(rows.length)}: ${titles(rows)}`;
  return {
    subject: printable(`[${worstOf(rows)}] ${title}`, ' ').slice(0, 200),
    text: plainText(rows, title, options.url),
    html: htmlText(rows, title, options.url),
    picture: null,
  };
}

function count(n: number): string {
  return n === 1 ? '1 alert' : `${n} alerts`;
}

function rowsOf(alerts: readonly Told[]): Row[] {
  const rows = new Map<string, Row>();
  for (const told of alerts) {
    const { alertId, state } = told.alert;
    const row = rows.get(alertId) ?? { last: told, news: [] };
    row.last = told;
    row.news.push(told.repeat === undefined ? state : 'still firing');
    rows.set(alertId, row);
  }
  return [...rows.values()].sort((a, b) => badness(b.last.alert) - badness(a.last.alert));
}

/** 0 is resolved. */
function badness({ state, severity }: Transition): number {
  return state === 'resolved' ? 0 : 1 + SEVERITIES.indexOf(severity);
}

/** The severity of the worst that is not over; `resolved` when all are. */
function worstOf(rows: readonly Row[]): string {
  return labelOf(rows[0].last.alert);
}

export function worstSeverity(alerts: readonly Told[]): Severity | 'resolved' {
  return worstOf(rowsOf(alerts)) as Severity | 'resolved';
}

function titles(rows: readonly Row[]): string {
  const all = [...new Set(rows.map(({ last }) => last.alert.title))];
  const more = all.length > MOST_NAMES ? ` and ${all.length - MOST_NAMES} more` : '';
  return `${all.slice(0, MOST_NAMES).join(', ')}${more}`;
}

/** `4 critical, 1 resolved`. */
function tally(rows: readonly Row[]): string {
  const counts = new Map<string, number>();
  for (const { last } of rows) counts.set(labelOf(last.alert), (counts.get(labelOf(last.alert)) ?? 0) + 1);
  return [...counts].map(([label, n]) => `${n} ${label}`).join(', ');
}

/** `2026-11-24 03:15:20 UTC` or `2026-11-24 03:15:20 to 03:17:00 UTC`. */
function period(rows: readonly Row[]): string {
  const times = rows.map(({ last }) => last.alert.time).sort();
  const [first, last] = [times[0], times[times.length - 1]];
  if (shortTime(first) === shortTime(last)) return shortTime(first);
  const sameDay = first.slice(0, 10) === last.slice(0, 10);
  return `${shortTime(first).slice(0, -4)} to ${sameDay ? shortTime(last).slice(11) : shortTime(last)}`;
}

/** What happened and when: `firing, then resolved` at `03:17:30`, `still firing since` some day. */
function newsOf({ last, news }: Row): { text: string; time: string } {
  const { since, time } = last.alert;
  if (last.repeat !== undefined) return { text: 'still firing since', time: shortTime(since) };
  return { text: news.join(', then '), time: time.slice(11, 19) };
}

/** What broke a limit, else the first value; of an alert that is over how long it was and how high. */
function factsOf(alert: Transition): string {
  const end = alert.state === 'resolved' ? sentenceOf(alert) : '';
  return end === ''
    ? alert.measured
        .slice(0, 1)
        .map(({ name, text }) => `${name} ${text}`)
        .join()
    : end;
}

function adviceOf(rows: readonly Row[]): string[] {
  const live = rows.filter(({ last }) => last.alert.state !== 'resolved' && last.alert.advice !== '');
  return [...new Set(live.map(({ last }) => last.alert.advice))].slice(0, MOST_ADVICE);
}

function htmlText(rows: readonly Row[], title: string, url: string | null): string {
  const colour = COLOURS[worstOf(rows)];
  const one = new Set(rows.map(({ last }) => last.alert.title)).size === 1;
  const parts = [
    html.badge(`${count(rows.length)} · ${worstOf(rows)}`.toUpperCase(), colour),
    html.heading(html.breakable(titles(rows))),
    html.lead(html.text(tally(rows))),
    html.quiet(html.text(period(rows))),
    `<div style="height:12px"></div>${html.table(rows.map((row) => cells(row, one)))}`,
  ];
  const advice = adviceOf(rows);
  if (advice.length > 0) {
    parts.push(html.section('What to do', advice.map((line) => html.lead(html.breakable(line))).join('')));
  }
  if (url) parts.push(html.button('Open in weir', url, colour));
  parts.push(`<div style="height:16px"></div>${html.quiet(html.breakable(footer(rows)))}`);
  return html.page(title, colour, parts.join('\n'));
}

/** The key has the whole width: long addresses stay on one line. */
function cells(row: Row, oneTitle: boolean): html.Cell[] {
  const { alert } = row.last;
  const name = oneTitle ? '' : `<b>${html.text(alert.title)}</b><br>`;
  const { text, time } = newsOf(row);
  const parts = [`<b style="color:${colourOf(alert)}">${html.text(labelOf(alert))}</b>`];
  const facts = factsOf(alert);
  if (facts !== '' && alert.state === 'resolved') parts.push(html.text(facts));
  else if (facts !== '') parts.push(`<b>${html.whole(facts)}</b>`);
  parts.push(`${html.text(text)} ${html.whole(time)}`);
  return [{ html: `${name}${html.breakable(describeKey(alert.key))}${html.quiet(parts.join(' · '))}` }];
}

function footer(rows: readonly Row[]): string {
  const rules = [...new Set(rows.map(({ last }) => last.alert.rule))];
  return `${rules.length === 1 ? 'rule' : 'rules'} ${rules.join(', ')}`;
}

function plainText(rows: readonly Row[], title: string, url: string | null): string {
  const lines = [title, `${tally(rows)}, ${period(rows)}`];
  for (const row of rows) {
    const { alert } = row.last;
    const { text, time } = newsOf(row);
    lines.push(
      '',
      `${labelOf(alert).toUpperCase()} ${alert.title}`,
      `  ${describeKey(alert.key)}`,
      `  ${text} ${time}`,
    );
    const broken = alert.measured.filter(({ limit }) => limit !== null).map(measuredText);
    for (const line of broken.length > 0 ? broken : [factsOf(alert)]) if (line !== '') lines.push(`  ${line}`);
  }
  const advice = adviceOf(rows);
  if (advice.length > 0) lines.push('', 'What to do', ...advice.map((line) => `  ${line}`));
  if (url) lines.push('', 'Open in weir', `  ${url}`);
  lines.push('', '-- ', footer(rows));
  return `${lines.map((line) => printable(line)).join('\n')}\n`;
}
