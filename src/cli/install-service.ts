import { extname, join } from 'node:path';
import type { Command } from 'commander';
import { LineWriter } from '../core/output.ts';
import { notice } from './progress.ts';
import { type Change, changeOf, type ServiceFile, serviceFiles, writeServiceFile } from './service-files.ts';

interface Options {
  dryRun?: boolean;
  prefix: string;
  capture?: boolean;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  weir install-service --dry-run             print every file that would be written
  sudo weir install-service                  write them; running it again changes nothing
  sudo weir install-service --capture        with the rights to read packets from interfaces
  weir install-service --prefix ./image      stage them for an image or a package`;

const NEXT = `next:
  systemd-sysusers && systemd-tmpfiles --create
  systemctl daemon-reload
  weir check -c /etc/weir/weir.yaml
  systemctl enable --now weir`;

/** The units hide home directories, so a program there would not start. */
const HIDDEN = /^\/(?:home|root|run\/user)\//;

export function installServiceCommand(program: Command): void {
  program
    .command('install-service')
    .description('Write the systemd units, the user, the folders and a first configuration.')
    .option('--dry-run', 'print what would be written, write nothing')
    .option('--prefix <DIR>', 'root of the file system to write to', '/')
    .option('--capture', 'also the drop-in for packets of interfaces')
    .option('--json', 'one JSON object a file')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

function run(options: Options): void {
  const command = [process.execPath, mainScript()];
  const files = serviceFiles({ command, capture: options.capture === true });
  const out = new LineWriter();
  for (const file of files) {
    const change = changeOf(file, options.prefix);
    tell(out, file, change, options);
    if (!options.dryRun && (change === 'create' || change === 'update')) writeServiceFile(file, options.prefix);
  }
  out.close();
  for (const word of command)
    if (HIDDEN.test(word)) notice(`${word} lies where the unit cannot see it: install weir elsewhere`);
  if (!options.dryRun && !options.json && options.prefix === '/') notice(NEXT);
}

function tell(out: LineWriter, file: ServiceFile, change: Change, { json, dryRun }: Options): void {
  if (json) {
    out.json({ path: file.path, change, mode: file.mode.toString(8), text: file.text });
    return;
  }
  out.line(`# ${file.path}: ${change}`);
  if (dryRun && change !== 'keep') out.line(file.text);
}

/** The script of this installation: `src/main.ts`, or `main.js` where it was built. */
function mainScript(): string {
  return join(import.meta.dirname, '..', `main${extname(import.meta.filename)}`);
}
