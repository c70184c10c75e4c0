import { fstatSync } from 'node:fs';
import type { Config } from '../config.ts';
import { fileLogKind, type LogFormat, LogReader, streamLogKind } from '../log/log.ts';
import type { Names } from '../model/names.ts';
import { openBytes, STANDARD_INPUT } from '../source/source.ts';

/** An input that is a log, and of what kind. */
export interface LogInput {
  path: string;
  format: LogFormat;
}

/** What the configuration says of the formats of its logs, by their paths. */
export function configuredFormats(config: Config | null): ReadonlyMap<string, LogFormat> {
  const formats = new Map<string, LogFormat>();
  for (const source of config?.sources ?? []) {
    const format = source.type === 'log' ? (source.mapping ?? source.format) : undefined;
    if (source.type === 'log' && format !== undefined) formats.set(source.path, format);
  }
  return formats;
}

/** Parts inputs into logs and others, by their content; standard input is looked at without taking anything from it. */
export async function partLogs(
  paths: readonly string[],
  formats: ReadonlyMap<string, LogFormat> = new Map(),
): Promise<{ logs: LogInput[]; others: string[] }> {
  const logs: LogInput[] = [];
  const others: string[] = [];
  for (const path of paths) {
    const format = formats.get(path) ?? (path === STANDARD_INPUT ? await standardInputKind() : fileLogKind(path));
    if (format === null) others.push(path);
    else logs.push({ path, format });
  }
  return { logs, others };
}

function standardInputKind(): Promise<LogFormat | null> {
  if (fstatSync(0).isFile()) return Promise.resolve(fileLogKind('/proc/self/fd/0'));
  return streamLogKind(process.stdin);
}

export async function openLog({ path, format }: LogInput, names: Names): Promise<LogReader> {
  return new LogReader(path, await openBytes(path), format, { names });
}

/** What a person should know of a log that was read to its end, beside its error. */
export function logNotices(reader: LogReader): string[] {
  const lines: string[] = [];
  const { badRows, name } = reader;
  if (badRows > 1) lines.push(`${name}: ${badRows} rows in all are damaged`);
  for (const [cause, count] of reader.skipped) lines.push(`${name}: ${count} records give no row (${cause})`);
  return lines;
}
