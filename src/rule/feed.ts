import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Path, SourceFile } from '../core/source-file.ts';
import { type Prefix, parsePrefix } from '../model/address.ts';

const MOST_BYTES = 16 << 20;
const MOST_NETS = 1 << 17;
const MOST_TOLD = 3;

/**
 * A file of networks, as blocklists come: one address or prefix a line, first on it; `#` and `;` begin comments. It is
 * read when the rules are loaded, so a reload takes its new content. What is no network is told of and left out.
 * @param file relative to the rule file
 */
export function readFeed(source: SourceFile, at: Path, file: string): Prefix[] {
  const path = resolve(dirname(source.file), file);
  try {
    const { size } = statSync(path);
    if (size <= MOST_BYTES) return parseFeed(source, at, file, readFileSync(path, 'utf8'));
    source.report(at, 'rule.feed', `${file} has ${size} bytes, more than ${MOST_BYTES}`);
  } catch (error) {
    source.report(at, 'rule.feed', `the feed cannot be read: ${messageOf(error)}`);
  }
  return [];
}

function parseFeed(source: SourceFile, at: Path, file: string, text: string): Prefix[] {
  const nets: Prefix[] = [];
  let wrong = 0;
  for (const [i, line] of text.split('\n').entries()) {
    const [word] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/[\s,]/);
    if (word === '') continue;
    const prefix = parsePrefix(word);
    if (prefix) nets.push(prefix);
    else if (wrong++ < MOST_TOLD) warn(source, at, `${file}:${i + 1}: '${word.slice(0, 60)}' is no network`);
  }
  if (wrong > MOST_TOLD) warn(source, at, `${file}: ${wrong} lines are no networks`);
  if (nets.length <= MOST_NETS) return nets;
  source.report(at, 'rule.feed', `${file} has ${nets.length} networks, more than ${MOST_NETS}`);
  return [];
}

function warn(source: SourceFile, at: Path, message: string): void {
  source.report(at, 'rule.feed', message, undefined, 'warning');
}
