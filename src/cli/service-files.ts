import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, WeirError } from '../core/errors.ts';
import { shipped } from '../core/paths.ts';

/** What a unit starts when it comes from a package. */
const PACKAGED = 'ExecStart=/usr/bin/weir run';

export interface ServiceOptions {
  /** The command that starts weir, each word absolute where it is a file. */
  command: readonly string[];
  /** With the rights to capture packets from interfaces. */
  capture: boolean;
}

/** A file that belongs on the machine. */
export interface ServiceFile {
  path: string;
  text: string;
  mode: number;
  /** The administrator's own once it is there: never overwritten. */
  keep?: true;
}

export type Change = 'create' | 'update' | 'unchanged' | 'keep';

const FIRST_CONFIG = `# weir's configuration. docs/operations.md explains it; \`weir check -c FILE\` finds every mistake with its place.
version: 1
sources:
- {name: spool, type: directory, path: /var/spool/weir, pattern: "*.pcap*"}
rules: []                       # empty: the shipped library
# nets: {home: [192.0.2.0/24]}  # your networks; default: private ranges
store: {path: /var/lib/weir, retention: {age: 30d, size: 20GB}}
# channels:
# - {name: ops, type: webhook, url: "https://hooks.example.net/weir", secret_file: ops}  # /etc/weir/credentials/ops
http: {listen: "127.0.0.1:8686"}
`;

/** Everything that makes weir a service of systemd, in the order in which it is written. */
export function serviceFiles({ command, capture }: ServiceOptions): ServiceFile[] {
  const read = (name: string) => readFileSync(join(shipped('systemd'), name), 'utf8');
  const unit = (name: string) => read(name).replace(PACKAGED, `ExecStart=${command.map(quoted).join(' ')} run`);
  const files: ServiceFile[] = [
    { path: '/etc/systemd/system/weir.service', text: unit('weir.service'), mode: 0o644 },
    { path: '/etc/systemd/system/weir@.service', text: unit('weir@.service'), mode: 0o644 },
    { path: '/etc/sysusers.d/weir.conf', text: read('sysusers.d/weir.conf'), mode: 0o644 },
    { path: '/etc/tmpfiles.d/weir.conf', text: read('tmpfiles.d/weir.conf'), mode: 0o644 },
    { path: '/etc/weir/weir.yaml', text: FIRST_CONFIG, mode: 0o644, keep: true },
  ];
  if (!capture) return files;
  const path = '/etc/systemd/system/weir.service.d/capture.conf';
  return [...files.slice(0, 2), { path, text: read('capture.conf'), mode: 0o644 }, ...files.slice(2)];
}

/** What writing would do. `prefix` is the root of the machine, or of an image that is being made. */
export function changeOf(file: ServiceFile, prefix: string): Change {
  const path = join(prefix, file.path);
  if (!existsSync(path)) return 'create';
  if (readFileSync(path, 'utf8') === file.text) return 'unchanged';
  return file.keep ? 'keep' : 'update';
}

/**
 * Writes beside, then renames, so that systemd never reads half a unit.
 * @throws WeirError `service.write` when the file cannot be written
 */
export function writeServiceFile(file: ServiceFile, prefix: string): void {
  const path = join(prefix, file.path);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, file.text, { mode: file.mode });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new WeirError('service.write', `cannot write ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'run it as root, or stage it elsewhere with --prefix DIR',
    });
  }
}

/** One word of a command line of a unit (systemd.syntax(7)): `%` and `$` stand for themselves. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(plain) ? `"${plain.replace(/["\\]/g, '\\$&')}"` : plain;
}
