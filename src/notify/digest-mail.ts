import { printable } from '../core/text.ts';
import { formatNumber } from '../core/units.ts';
import { describeShare } from '../model/evidence-text.ts';
import type { DigestData } from './digest.ts';
import * as html from './mail-layout.ts';
import { COLOURS, type MailText } from './mail-words.ts';

const COLOUR = '#37474f';
const BAR = '#607d8b';

/** The report of a period as a mail: alerts, traffic, who sent most, what is coming, what was lost. */
export function renderDigest(digest: DigestData): MailText {
  const count = digest.alerts.reduce((sum, alert) => sum + alert.count, 0);
  const subject = `${digest.title}: ${count === 1 ? '1 alert' : `${count} alerts`}, ${day(digest.from)}`;
  return {
    subject: printable(`[weir] ${subject}`, ' '),
    text: plainText(digest),
    html: htmlText(digest),
    picture: null,
  };
}

function day(iso: string): string {
  return iso.slice(0, 10);
}

function periodText({ from, until }: DigestData): string {
  return `${day(from)} ${from.slice(11, 16)} to ${day(until)} ${until.slice(11, 16)} UTC`;
}

function htmlText(digest: DigestData): string {
  const parts = [
    html.badge('REPORT', COLOUR),
    html.heading(html.text(digest.title)),
    html.quiet(html.text(periodText(digest))),
    html.section('Alerts', alertsHtml(digest)),
  ];
  if (digest.totals.length > 0) parts.push(html.section('Traffic', totalsHtml(digest)));
  for (const { title, rows } of digest.talkers) if (rows.length > 0) parts.push(html.section(title, talkersHtml(rows)));
  if (digest.forecasts.length > 0) {
    parts.push(html.section('Forecast', digest.forecasts.map((line) => html.lead(html.breakable(line))).join('')));
  }
  parts.push(html.section('Lost or left out', dropsHtml(digest)));
  return html.page(digest.title, COLOUR, parts.join('\n'));
}

function alertsHtml({ alerts }: DigestData): string {
  if (alerts.length === 0) return html.lead('None.');
  const rows = alerts.map(({ title, severity, count, active, longest }): html.Cell[] => [
    { html: `${html.breakable(title)}<br>${severityHtml(severity)}` },
    { html: `<b>${count}</b>`, align: 'right', tight: true },
    { html: active > 0 ? `${active} on` : '', align: 'right', tight: true },
    { html: html.text(longest), align: 'right', tight: true },
  ]);
  const head: html.Cell[] = [{ html: '' }];
  for (const name of ['times', 'now', 'longest']) head.push({ html: name, align: 'right' });
  return html.table(rows, head);
}

function severityHtml(severity: string): string {
  return `<span style="font-size:13px;font-weight:600;color:${COLOURS[severity] ?? COLOUR}">${html.text(severity)}</span>`;
}

function totalsHtml({ totals }: DigestData): string {
  return html.table(
    totals.map(({ name, value, change }) => [
      { html: `${html.text(name)}${change === null ? '' : html.quiet(html.text(change))}` },
      { html: `<b>${html.text(value)}</b>`, align: 'right', tight: true },
    ]),
  );
}

function talkersHtml(rows: DigestData['talkers'][number]['rows']): string {
  return html.table(
    rows.map(({ name, amount, share }) => [
      { html: `${html.breakable(name)}${html.bar(share, BAR)}` },
      { html: html.text(amount), align: 'right', tight: true },
      { html: html.text(describeShare(share)), align: 'right', tight: true },
    ]),
  );
}

function dropsHtml({ drops }: DigestData): string {
  if (drops.length === 0) return html.lead('Nothing was lost.');
  return html.table(
    drops.map(({ cause, count }) => [
      { html: html.breakable(cause) },
      { html: html.text(formatNumber(count)), align: 'right', tight: true },
    ]),
  );
}

function plainText(digest: DigestData): string {
  const lines = [digest.title, periodText(digest)];
  const block = (title: string, body: string[]) => {
    if (body.length > 0) lines.push('', title, ...body.map((line) => `  ${line}`));
  };
  const alerts = digest.alerts.map(
    ({ title, severity, count, active, longest }) =>
      `${count} x ${title} (${severity})${active > 0 ? `, ${active} on` : ''}, longest ${longest}`,
  );
  block('Alerts', alerts.length > 0 ? alerts : ['none']);
  block(
    'Traffic',
    digest.totals.map(({ name, value, change }) => `${name} ${value}${change === null ? '' : ` (${change})`}`),
  );
  for (const { title, rows } of digest.talkers) {
    block(
      title,
      rows.map(({ name, amount, share }) => `${describeShare(share).padStart(4)}  ${name}  ${amount}`),
    );
  }
  block('Forecast', digest.forecasts);
  const drops = digest.drops.map(({ cause, count }) => `${formatNumber(count)}  ${cause}`);
  block('Lost or left out', drops.length > 0 ? drops : ['nothing was lost']);
  return `${lines.map((line) => printable(line)).join('\n')}\n`;
}
