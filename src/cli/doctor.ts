import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { EXIT_NO } from '../core/exit.ts';
import { LineWriter } from '../core/output.ts';
import { examineDaemon } from './doctor-daemon.ts';
import { type Diagnosis, failure, ok } from './doctor-findings.ts';
import { examineHost } from './doctor-host.ts';

interface Options {
  config?: string;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  weir doctor                      what this machine allows
  weir doctor -c weir.yaml         what this configuration needs, and how its daemon is, if it runs
  weir doctor -c weir.yaml --json  one JSON object a finding: check, level (ok, warning, error), message, hint

Run it as the user that weir runs as. Exit codes: 0 nothing is wrong (warnings may be there), 1 something is.`;

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Look at rights, buffers, clock, disk, configuration, exporters, and say what to do.')
    .option('-c, --config <FILE>', 'the configuration')
    .option('--json', 'one JSON object a finding')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const found = await examine(options.config);
  const out = new LineWriter();
  for (const diagnosis of found) {
    if (options.json) out.json(diagnosis);
    else print(out, diagnosis);
  }
  out.close();
  if (found.some(({ level }) => level === 'error')) process.exitCode = EXIT_NO;
}

async function examine(path: string | undefined): Promise<Diagnosis[]> {
  if (path === undefined) return examineHost(null);
  const { config, findings } = loadConfig(path);
  const about = findings.map((item) =>
    failure(
      'config',
      `${item.file}:${item.line}:${item.column}: ${item.message}`,
      item.hint ?? `weir check -c ${path}`,
    ),
  );
  if (config === null) return [...about, ...(await examineHost(null))];
  const whole = about.length > 0 ? about : [ok('config', `${path}: ${config.sources.length} sources`)];
  return [...whole, ...(await examineHost(config)), ...(await examineDaemon(config))];
}

function print(out: LineWriter, { check, level, message, hint }: Diagnosis): void {
  out.line(`${level.padEnd(7)}  ${check}: ${message}`);
  if (hint !== undefined) out.line(`         ${hint}`);
}
