import { escapeHtml, printable } from '../core/text.ts';

/**
 * Parts of HTML mail that programs on telephones and desktops show alike: tables, styles at the element, no script, no
 * picture from elsewhere. Every text goes through `text`.
 */
const FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const MONO = 'font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace';
const INK = '#1c2430';
const QUIET = '#5b6675';
const RULE = '#e3e8ee';

export interface Cell {
  html: string;
  align?: 'left' | 'right';
  /** Keeps the text on one line. */
  tight?: boolean;
}

/** Text from outside as HTML. */
export function text(value: string): string {
  return escapeHtml(printable(value));
}

/** Room to break in long addresses and names. */
export function breakable(value: string): string {
  return `<span style="word-break:break-word;overflow-wrap:anywhere">${text(value)}</span>`;
}

/** On one line: a value with its unit, a date with its time. */
export function whole(value: string): string {
  return `<span style="white-space:nowrap">${text(value)}</span>`;
}

export function page(title: string, colour: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light"><title>${text(title)}</title></head>
<body style="margin:0;padding:0;background:#eef1f5;${FONT};color:${INK};-webkit-text-size-adjust:100%">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#eef1f5"><tr><td align="center" style="padding:12px 8px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:640px;background:#ffffff;border-radius:8px;overflow:hidden;border-top:6px solid ${colour}">
<tr><td style="padding:18px 20px 22px">
${body}
</td></tr></table>
</td></tr></table></body></html>`;
}

export function badge(label: string, colour: string): string {
  return `<span style="display:inline-block;padding:3px 9px;border-radius:4px;background:${colour};color:#ffffff;font-size:13px;font-weight:700;letter-spacing:.04em">${text(label)}</span>`;
}

export function heading(html: string): string {
  return `<div style="font-size:22px;line-height:1.25;font-weight:700;margin:10px 0 2px">${html}</div>`;
}

export function lead(html: string): string {
  return `<div style="font-size:16px;line-height:1.4;margin:0 0 4px">${html}</div>`;
}

export function quiet(html: string): string {
  return `<div style="font-size:13px;line-height:1.45;color:${QUIET}">${html}</div>`;
}

export function section(title: string, html: string): string {
  return `<div style="font-size:12px;font-weight:700;letter-spacing:.06em;text-transform:uppercase;color:${QUIET};margin:20px 0 6px">${text(title)}</div>${html}`;
}

export function code(value: string): string {
  return `<div style="${MONO};font-size:13px;line-height:1.5;background:#f4f6f9;border:1px solid ${RULE};border-radius:4px;padding:8px 10px;margin-bottom:6px;word-break:break-word;overflow-wrap:anywhere">${text(value)}</div>`;
}

export function button(label: string, url: string, colour: string): string {
  return `<div style="margin-top:22px"><a href="${escapeHtml(url)}" style="display:inline-block;padding:11px 18px;border-radius:5px;background:${colour};color:#ffffff;font-size:15px;font-weight:600;text-decoration:none">${text(label)}</a></div>`;
}

export function table(rows: Cell[][], head?: Cell[]): string {
  const cells = (row: Cell[], style: string) =>
    row
      .map((cell, i) => `<td align="${cell.align ?? 'left'}" style="${cellStyle(cell, i)};${style}">${cell.html}</td>`)
      .join('');
  const top = head ? `<tr>${cells(head, `font-size:12px;color:${QUIET}`)}</tr>` : '';
  const lines = rows.map((row) => `<tr>${cells(row, `border-top:1px solid ${RULE}`)}</tr>`).join('\n');
  return `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="font-size:15px;line-height:1.35">${top}${lines}</table>`;
}

function cellStyle(cell: Cell, index: number): string {
  return `padding:7px 0 7px ${index === 0 ? '0;width:100%' : '12px'};vertical-align:top${cell.tight ? ';white-space:nowrap' : ''}`;
}

/** A bar for a share of 0..1, drawn by cells so that it shows where background images do not. */
export function bar(share: number, colour: string): string {
  const width = Math.max(1, Math.round(Math.min(1, share) * 100));
  const rest = width >= 100 ? '' : `<td style="background:#eef1f5;height:6px;line-height:6px;font-size:0">&nbsp;</td>`;
  return `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin-top:4px"><tr><td width="${width}%" style="background:${colour};height:6px;line-height:6px;font-size:0">&nbsp;</td>${rest}</tr></table>`;
}
