import type { Colour } from '../core/canvas.ts';
import { linePlot, plotTop } from '../core/line-plot.ts';
import { printable, shellQuoted } from '../core/text.ts';
import { formatUs } from '../core/time.ts';
import { formatNumber, formatQuantity } from '../core/units.ts';
import type { AlertPlot, EvidenceItem, Measured, Transition } from '../model/alert.ts';
import { describeFlow, describeShare } from '../model/evidence-text.ts';
import { describeKey } from '../model/key-text.ts';
import type { Told } from './content.ts';
import * as html from './mail-layout.ts';
import {
  apart,
  colourOf,
  labelOf,
  type MailText,
  measuredText,
  sentenceOf,
  shortTime,
  stillFiring,
} from './mail-words.ts';

type Topk = Extract<EvidenceItem, { topk: string }>;

const PLOT_CID = 'plot@weir';
/** Twice the size it is shown at, for fine screens. */
const PLOT = { width: 1200, height: 320 };
const MOST_ITEMS = 6;
const MOST_FLOWS = 3;

/** An alert as a mail that answers, in this order: how bad, what, whom, how much, who does it, what next. */
export function alertMail(told: Told, options: { plot: AlertPlot | null; url: string | null }): MailText {
  const { plot, url } = options;
  const { alert, repeat } = told;
  const still = repeat === undefined ? '' : ', still firing';
  const shown = plot && plot.points.length > 1 ? plot : null;
  return {
    subject: printable(`[${labelOf(alert)}] ${alert.title}: ${describeKey(alert.key)}`, ' ').slice(0, 200) + still,
    text: plainText(told, url),
    html: htmlText(told, shown, url),
    picture: shown ? { cid: PLOT_CID, png: drawPlot(shown, colourOf(alert)) } : null,
  };
}

/** What has happened: `escalated`; of a repetition `still firing`. */
function newsOf({ alert, repeat }: Told): string {
  return repeat === undefined ? alert.state : 'still firing';
}

/** `2026-11-24 03:15:20 UTC, began 2m before, window of 10s`. */
function timesText({ alert, repeat }: Told): string {
  const { time, since, window } = alert;
  if (repeat !== undefined) return `${stillFiring(alert)}; measured at ${shortTime(time)}`;
  const began = time === since ? '' : `, began ${apart(since, time)} before`;
  const length = window.start === window.end ? '' : `, window of ${apart(window.start, window.end)}`;
  return `${shortTime(time)}${began}${length}`;
}

function htmlText(told: Told, plot: AlertPlot | null, url: string | null): string {
  const { alert } = told;
  const colour = colourOf(alert);
  const wantsHelp = alert.state !== 'resolved';
  const parts = [
    html.badge(`${labelOf(alert)}${wantsHelp ? ` · ${newsOf(told)}` : ''}`.toUpperCase(), colour),
    html.heading(html.text(alert.title)),
    html.lead(html.breakable(describeKey(alert.key))),
    html.quiet(html.text(timesText(told))),
  ];
  const sentence = sentenceOf(alert);
  if (sentence !== '') parts.push(`<div style="height:12px"></div>${html.lead(html.breakable(sentence))}`);
  if (alert.measured.length > 0) parts.push(html.section('Measured', measuredTable(alert.measured, colour)));
  if (plot) parts.push(html.section(plotTitle(plot), plotHtml(plot)));
  for (const item of alert.evidence) parts.push('topk' in item ? topHtml(item, colour) : flowsHtml(item.flows));
  if (wantsHelp && alert.advice !== '') parts.push(html.section('What to do', html.lead(html.breakable(alert.advice))));
  if (alert.filter !== '') parts.push(html.section('Look further', html.code(queryOf(alert))));
  if (url) parts.push(html.button('Open in weir', url, colour));
  parts.push(`<div style="height:16px"></div>${html.quiet(html.breakable(footer(alert)))}`);
  return html.page(`${alert.title}: ${describeKey(alert.key)}`, colour, parts.join('\n'));
}

function measuredTable(measured: Measured[], colour: string): string {
  const columns = (['limit', 'expected'] as const).filter((name) => measured.some((each) => each[name] !== null));
  const rows = measured.map((each): html.Cell[] => [
    { html: html.breakable(each.name) },
    { html: each.limit === null ? html.text(each.text) : strong(each.text, colour), align: 'right', tight: true },
    ...columns.map((name): html.Cell => ({ html: html.text(each[name] ?? ''), align: 'right', tight: true })),
  ]);
  if (columns.length === 0) return html.table(rows);
  const head = ['measured', ...columns].map((name): html.Cell => ({ html: name, align: 'right' }));
  return html.table(rows, [{ html: '' }, ...head]);
}

function strong(value: string, colour: string): string {
  return `<b style="color:${colour}">${html.text(value)}</b>`;
}

function topHtml({ topk, by, items }: Topk, colour: string): string {
  const rows = items
    .slice(0, MOST_ITEMS)
    .map(({ value, amount, share }): html.Cell[] => [
      { html: `${html.breakable(value)}${html.bar(share, colour)}` },
      { html: html.text(formatNumber(amount)), align: 'right', tight: true },
      { html: html.text(describeShare(share)), align: 'right', tight: true },
    ]);
  return rows.length === 0 ? '' : html.section(`Top ${topk} by ${by}`, html.table(rows));
}

function flowsHtml(flows: Record<string, string | number>[]): string {
  if (flows.length === 0) return '';
  return html.section(
    'Flows',
    flows
      .slice(0, MOST_FLOWS)
      .map((flow) => html.code(describeFlow(flow)))
      .join(''),
  );
}

function queryOf(alert: Transition): string {
  return `weir query ${shellQuoted(alert.filter)}`;
}

function footer(alert: Transition): string {
  const tags = alert.tags.length > 0 ? ` · ${alert.tags.join(' ')}` : '';
  return `rule ${alert.rule}${tags} · alert ${alert.alertId}`;
}

function plotTitle({ name, unit, points, limit }: AlertPlot): string {
  const top = plotTop({ points: points.map(({ timeUs, value }) => ({ x: timeUs, y: value })), limit });
  return `${name}, up to ${formatQuantity(top, unit)}${limit === null ? '' : `, limit ${formatQuantity(limit, unit)}`}`;
}

function plotHtml(plot: AlertPlot): string {
  const alt = html.text(plotTitle(plot));
  const time = (index: number) => formatUs(plot.points.at(index)?.timeUs ?? 0).slice(11, 19);
  const axis = `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="font-size:12px;color:#5b6675"><tr><td>${time(0)}</td><td align="right">${time(-1)} UTC</td></tr></table>`;
  return `<img src="cid:${PLOT_CID}" width="600" alt="${alt}" style="display:block;width:100%;max-width:600px;height:auto;border:0">${axis}`;
}

function drawPlot({ points, limit }: AlertPlot, colour: string): Buffer {
  const line = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [number, number, number];
  const fill = line.map((part) => Math.round(255 - (255 - part) * 0.18)) as [number, number, number];
  const colours: Record<string, Colour> = { background: [255, 255, 255], grid: [227, 232, 238], limit: [91, 102, 117] };
  return linePlot({
    ...PLOT,
    points: points.map(({ timeUs, value }) => ({ x: timeUs, y: value })),
    limit,
    colours: { background: colours['background'], grid: colours['grid'], limit: colours['limit'], line, fill },
  });
}

function plainText(told: Told, url: string | null): string {
  const { alert } = told;
  const lines = [
    `${labelOf(alert).toUpperCase()} ${alert.title}`,
    describeKey(alert.key),
    told.repeat === undefined ? `${alert.state}, ${timesText(told)}` : timesText(told),
  ];
  const sentence = sentenceOf(alert);
  if (sentence !== '') lines.push('', sentence);
  const block = (title: string, body: string[]) => {
    if (body.length > 0) lines.push('', title, ...body.map((line) => `  ${line}`));
  };
  block('Measured', alert.measured.map(measuredText));
  for (const item of alert.evidence) {
    if ('topk' in item) block(`Top ${item.topk} by ${item.by}`, item.items.slice(0, MOST_ITEMS).map(topText));
    else block('Flows', item.flows.slice(0, MOST_FLOWS).map(describeFlow));
  }
  if (alert.state !== 'resolved' && alert.advice !== '') block('What to do', [alert.advice]);
  if (alert.filter !== '') block('Look further', [queryOf(alert)]);
  if (url) block('Open in weir', [url]);
  lines.push('', '-- ', footer(alert));
  return `${lines.map((line) => printable(line)).join('\n')}\n`;
}

function topText({ value, amount, share }: Topk['items'][number]): string {
  return `${describeShare(share).padStart(4)}  ${value}  ${formatNumber(amount)}`;
}
