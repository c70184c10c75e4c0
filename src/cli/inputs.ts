import { closeSync, globSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { messageOf, WeirError } from '../core/errors.ts';
import { fileLogKind } from '../log/log.ts';
import { isLoadCsv, looksLikeCapture } from '../source/source.ts';

export interface InputOptions {
  filesFrom?: string;
}

/** Endings of captures, also with the numbers that rotating writers add. */
const CAPTURE_ENDING = /\.(pcap|pcapng|cap|dmp|ntar)(\.(gz|zst))?$|\.pcap(ng)?\d+$|\.(gz|zst)$/i;
const GLOB = /[*?[\]{}]/;

/** FILE... and `--files-from`, the same for every command that reads captures. */
export function addInputOptions(command: Command): Command {
  return command
    .argument('[FILE...]', 'captures, globs, folders; - is standard input')
    .option('--files-from <LIST>', 'read more paths from this file, one a line (- is standard input)');
}

/**
 * The paths a command is to read, as they were given; globs and folders give their captures in order.
 * @throws WeirError `usage.input` when none was named, or a glob or folder holds none
 */
export function inputPaths(files: readonly string[], options: InputOptions): string[] {
  const given = options.filesFrom === undefined ? files : [...files, ...listedPaths(options.filesFrom)];
  if (given.length === 0) {
    throw new WeirError('usage.input', 'no input was named', {
      hint: 'name files, folders or globs; - is standard input',
    });
  }
  return given.flatMap(expand);
}

function listedPaths(list: string): string[] {
  try {
    const text = readFileSync(list === '-' ? 0 : list, 'utf8');
    return text
      .split('\n')
      .map((line) => line.replace(/\r$/, ''))
      .filter((line) => line !== '');
  } catch (cause) {
    throw new WeirError('usage.input', `cannot read the list ${list}: ${messageOf(cause)}`, { cause });
  }
}

/** What is no glob and no folder stays as it is: opening it says what is wrong with it. */
function expand(path: string): string[] {
  if (path === '-') return [path];
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return required(path, capturesBelow(path));
  if (stat === undefined && GLOB.test(path)) return required(path, globSync(path).filter(isFile).sort());
  return [path];
}

function required(path: string, found: string[]): string[] {
  if (found.length > 0) return found;
  throw new WeirError('usage.input', `${path} holds no capture`, { hint: 'captures are known by content or ending' });
}

function capturesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter(
      (path) =>
        isFile(path) && (CAPTURE_ENDING.test(path) || isCapture(path) || isLoadCsv(path) || fileLogKind(path) !== null),
    )
    .sort();
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function isCapture(path: string): boolean {
  const head = Buffer.alloc(4);
  try {
    const fd = openSync(path, 'r');
    const length = readSync(fd, head, 0, 4, 0);
    closeSync(fd);
    return looksLikeCapture(head.subarray(0, length));
  } catch {
    return false;
  }
}
