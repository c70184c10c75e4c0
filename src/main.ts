#!/usr/bin/env node
import type { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { keepCompiledCode } from './core/compiled-code.ts';
import { WeirError } from './core/errors.ts';
import { EXIT_OK, EXIT_USAGE } from './core/exit.ts';
import { keepYoungSmall } from './core/heap.ts';
import { startEarly } from './early-thread.ts';

type Register = (program: Command) => void;

/** Each command's file is loaded only when it is asked for, so that `weir stats` starts without a database. */
const COMMANDS: Record<string, () => Promise<Register>> = {
  replay: async () => (await import('./cli/replay.ts')).replayCommand,
  flows: async () => (await import('./cli/flows.ts')).flowsCommand,
  run: async () => (await import('./cli/run.ts')).runCommand,
  stats: async () => (await import('./cli/stats.ts')).statsCommand,
  check: async () => (await import('./cli/check.ts')).checkCommand,
  test: async () => (await import('./cli/test.ts')).testCommand,
  query: async () => (await import('./cli/query.ts')).queryCommand,
  alerts: async () => (await import('./cli/alerts.ts')).alertsCommand,
  forecast: async () => (await import('./cli/forecast.ts')).forecastCommand,
  detect: async () => (await import('./cli/detect.ts')).detectCommand,
  notify: async () => (await import('./cli/notify.ts')).notifyCommand,
  config: async () => (await import('./cli/config.ts')).configCommand,
  doctor: async () => (await import('./cli/doctor.ts')).doctorCommand,
  'install-service': async () => (await import('./cli/install-service.ts')).installServiceCommand,
  schema: async () => (await import('./cli/schema.ts')).schemaCommand,
};

/** Commands that read captures on a thread of their own. */
const READS_CAPTURES = new Set(['flows', 'replay']);

const EXAMPLES = `
Examples:
  weir replay capture.pcapng            alerts and a summary of any capture
  weir flows capture.pcap --json        flow records, one JSON object a line
  weir stats *.pcap                     what is in these files
  weir test rules/                      run the tests of the rule library
  weir replay -c weir.yaml --notify     deliver alerts by mail and webhook

Exit codes: 0 done; 1 the answer is "no"; 2 wrong usage or config; 3 done, but some input was damaged;
4 nothing could be read.`;

async function main(argv: string[]): Promise<void> {
  const { Command } = await import('commander');
  const program = new Command('weir')
    .description('Network traffic monitoring: packets and flow records in; alerts and load forecasts out.')
    .version(packageJson.version)
    .showHelpAfterError('(see weir --help)')
    .showSuggestionAfterError()
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  const wanted = Object.hasOwn(COMMANDS, argv[2] ?? '') ? [argv[2]] : Object.keys(COMMANDS);
  for (const name of wanted) (await COMMANDS[name]())(program);
  for (const command of program.commands) command.exitOverride();
  await program.parseAsync(argv);
}

/** Says what went wrong and what to do, without a stack: operational errors are not crashes. */
function report(error: unknown): void {
  if (isCommanderError(error)) {
    process.exitCode = error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    return;
  }
  if (!(error instanceof WeirError)) throw error;
  process.stderr.write(`weir: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ''}`);
  process.exitCode = EXIT_USAGE;
}

/** The library is not loaded here, so that the thread that reads starts before it. */
function isCommanderError(error: unknown): error is CommanderError {
  return (
    error instanceof Error && 'exitCode' in error && 'code' in error && String(error.code).startsWith('commander.')
  );
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT_OK);
  throw error;
});
keepCompiledCode();
keepYoungSmall();
if (READS_CAPTURES.has(process.argv[2])) startEarly(process.argv.slice(3));
await main(process.argv).catch(report);
