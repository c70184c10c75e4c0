import { parseTimeUs } from '../core/time.ts';
import { formatDuration } from '../core/units.ts';
import type { Measured, Transition } from '../model/alert.ts';
import { describeKey } from '../model/key-text.ts';

/** A mail without its addresses. */
export interface MailText {
  subject: string;
  text: string;
  html: string;
  /** The plot, shown inline under this content id. */
  picture: { cid: string; png: Buffer } | null;
}

export const COLOURS: Record<string, string> = {
  info: '#1f6feb',
  warning: '#b45309',
  critical: '#c62828',
  resolved: '#2e7d32',
};

export function labelOf(alert: Transition): string {
  return alert.state === 'resolved' ? 'resolved' : alert.severity;
}

export function colourOf(alert: Transition): string {
  return COLOURS[labelOf(alert)];
}

export function shortTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

export function apart(from: string, to: string): string {
  return formatDuration(parseTimeUs(to) - parseTimeUs(from));
}

export function stillFiring({ since }: Transition): string {
  return `still firing since ${shortTime(since)}`;
}

/** `pps 45.2 kpps (limit > 20.0 kpps) (expected 1.20 kpps)`. */
export function measuredText({ name, text, limit, expected }: Measured): string {
  return [`${name} ${text}`, limit && `(limit ${limit})`, expected && `(expected ${expected})`]
    .filter(Boolean)
    .join(' ');
}

/** What the summary says beyond title, key and measured values, which stand in the mail anyway. */
export function sentenceOf({ title, key, summary, measured }: Transition): string {
  const head = `${title}: ${describeKey(key)}: `;
  if (!summary.startsWith(head)) return summary;
  const rest = summary.slice(head.length);
  return measured.length > 0 && rest.startsWith(`${measured[0].name} ${measured[0].text}`) ? '' : rest;
}
