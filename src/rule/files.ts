import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Finding, messageOf } from '../core/errors.ts';

const MAX_FILE = 1 << 20;
const MAX_FILES = 10_000;

/** `rules` are rule files, `tests` are rule tests; others in a folder are not looked at. */
export type FileKind = 'rules' | 'tests';

const isTest = (name: string) => /\.test\.ya?ml$/.test(name);
const isYaml = (name: string) => /\.ya?ml$/.test(name) && !name.startsWith('.');

/** Files of one kind under the paths, folders searched to the bottom, in a fixed order, each once. */
export function listFiles(paths: readonly string[], kind: FileKind, findings: Finding[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    try {
      if (statSync(path).isDirectory()) for (const file of walk(path, kind)) found.add(file);
      else {
        const file = kind === 'tests' ? testOf(path) : isTest(path) ? null : path;
        if (file) found.add(file);
      }
    } catch (error) {
      findings.push({ file: path, line: 1, column: 1, code: 'file.unreadable', message: messageOf(error) });
    }
  }
  return [...found].slice(0, MAX_FILES);
}

/** A rule file stands for the tests beside it. */
function testOf(path: string): string | null {
  if (isTest(path)) return path;
  const beside = path.replace(/\.ya?ml$/, '.test.yaml');
  return existsSync(beside) && beside !== path ? beside : null;
}

function walk(folder: string, kind: FileKind): string[] {
  const names = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return names.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') || entry.name === 'node_modules' ? [] : walk(path, kind);
    return isYaml(entry.name) && isTest(entry.name) === (kind === 'tests') ? [path] : [];
  });
}

/** The text of a file; null, with a finding, when it cannot be read or is no rule file by its size. */
export function readSource(path: string, findings: Finding[]): string | null {
  const fail = (code: string, message: string) => {
    findings.push({ file: path, line: 1, column: 1, code, message });
    return null;
  };
  try {
    if (statSync(path).size > MAX_FILE) return fail('file.too_large', `larger than ${MAX_FILE} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    return fail('file.unreadable', messageOf(error));
  }
}

/** `_name.yaml`: its nets, ports, macros and thresholds serve every file in its folder and below. */
export const isCommon = (path: string): boolean => basename(path).startsWith('_');
