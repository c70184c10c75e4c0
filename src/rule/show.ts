import type { Finding } from '../core/errors.ts';

/** Colours of one output; all empty where there are none. */
export interface Paint {
  strong(text: string): string;
  error(text: string): string;
  warning(text: string): string;
  faint(text: string): string;
}

const plain = (text: string) => text;
export const NO_PAINT: Paint = { strong: plain, error: plain, warning: plain, faint: plain };

const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
export const ANSI_PAINT: Paint = { strong: sgr(1), error: sgr(31), warning: sgr(33), faint: sgr(2) };

/** A tab or control letter would break the line apart or reach the terminal. */
const visible = (text: string): string => text.replace(/\p{Cc}/gu, ' ');

/**
 * A finding as people read it: `file:line:column: error CODE message`, the line with a caret, and the hint.
 * @param source text of the file; null shows the finding alone
 */
export function showFinding(finding: Finding, source: string | null, paint: Paint = NO_PAINT): string {
  const { file, line, column, code, message, hint, level } = finding;
  const kind = level === 'warning' ? paint.warning('warning') : paint.error('error');
  const head = `${paint.strong(`${file}:${line}:${column}:`)} ${kind} ${code} ${message}`;
  const rows = [head];
  const text = source?.split('\n')[line - 1];
  if (text !== undefined) rows.push(...excerpt(visible(text), column, paint));
  if (hint) rows.push(`  ${paint.faint('hint:')} ${hint}`);
  return rows.join('\n');
}

const WIDTH = 110;

/** A long line is cut around its caret. */
function excerpt(text: string, column: number, paint: Paint): string[] {
  const from = column > WIDTH - 20 ? column - WIDTH / 2 : 0;
  const shown = text.slice(from, from + WIDTH);
  return [`  ${shown}`, `  ${' '.repeat(Math.max(0, column - 1 - from))}${paint.error('^')}`];
}
