import { fstatSync } from 'node:fs';
import { destination } from 'pino';
import { wantsColour } from './output.ts';
import { printable } from './text.ts';

export type LogFormat = 'json' | 'journal' | 'pretty';

/** What pino gives its lines to; with the symbol it says the level of each line first. */
export interface LogStream {
  write(line: string): void;
  lastLevel: number;
}

const WITH_LEVEL = Symbol.for('pino.metadata');
const LEVELS: Record<number, string> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };
const COLOURS: Record<number, string> = { 40: '\u001b[33m', 50: '\u001b[31m', 60: '\u001b[1;31m' };
const DIM = '\u001b[2m';
const RESET = '\u001b[0m';

/** Lines for standard error in the form that whoever reads it wants. */
export function logStream(format: LogFormat, sink: { write(text: string): unknown } = standardError()): LogStream {
  const stream = {
    [WITH_LEVEL]: true,
    lastLevel: 30,
    write: (line: string) => void sink.write(shape(format, line, stream.lastLevel)),
  };
  return stream;
}

/** `WEIR_LOG_FORMAT`, else the journal where it reads standard error, else by whether that is a terminal. */
export function logFormat(env: Readonly<Record<string, string | undefined>>, fd = 2): LogFormat {
  const wanted = env['WEIR_LOG_FORMAT'];
  if (wanted === 'json' || wanted === 'journal' || wanted === 'pretty') return wanted;
  if (readsJournal(env['JOURNAL_STREAM'], fd)) return 'journal';
  return process.stderr.isTTY === true ? 'pretty' : 'json';
}

/** systemd.exec(5): `JOURNAL_STREAM` is device and inode of what it connected, which a redirection would change. */
function readsJournal(stream: string | undefined, fd: number): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

function standardError(): { write(text: string): unknown } {
  return destination({ fd: 2, sync: true });
}

function shape(format: LogFormat, line: string, level: number): string {
  if (format === 'json') return line;
  if (format === 'journal') return `<${priority(level)}>${line}`;
  return pretty(line, level, wantsColour(process.stderr));
}

/** Priorities of syslog (RFC 5424, section 6.2.1), as sd-daemon(3) takes them at the beginning of a line. */
function priority(level: number): number {
  if (level >= 60) return 2;
  if (level >= 50) return 3;
  if (level >= 40) return 4;
  return level >= 30 ? 6 : 7;
}

/** `12:03:04 WARN  notify.retry channel=ops error="HTTP 500"`. */
function pretty(line: string, level: number, colour: boolean): string {
  const { level: _, time, code, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const paint = (style: string, text: string) => (colour && style !== '' ? `${style}${text}${RESET}` : text);
  const parts = [
    paint(DIM, String(time).slice(11, 19)),
    paint(COLOURS[level] ?? '', (LEVELS[level] ?? String(level)).padEnd(5)),
    code === undefined ? '' : String(code),
    msg === undefined ? '' : String(msg),
    ...Object.entries(facts).map(([name, value]) => paint(DIM, `${name}=`) + valueText(value)),
  ];
  return `${parts.filter((part) => part !== '').join(' ')}\n`;
}

function valueText(value: unknown): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value) ?? '-');
  return /^[\w.:/@%+-]+$/.test(value) ? value : printable(JSON.stringify(value));
}
