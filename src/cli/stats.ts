import { type Command, Option } from 'commander';
import { EXIT_DAMAGED, EXIT_OK, EXIT_UNREADABLE } from '../core/exit.ts';
import { LineWriter } from '../core/output.ts';
import {
  type CaptureSummary,
  openCapture,
  openStandardInput,
  type ReaderName,
  STANDARD_INPUT,
  summarize,
} from '../source/source.ts';
import { addInputOptions, type InputOptions, inputPaths } from './inputs.ts';
import { notice, Progress } from './progress.ts';

interface Options extends InputOptions {
  json?: boolean;
  reader?: ReaderName;
}

const EXAMPLES = `
Examples:
  weir stats capture.pcapng             format, link types, packets, bytes, first and last time
  weir stats captures/ --json           one JSON object a file
  zcat day.pcap.gz | weir stats -

Exit codes: 0 done; 3 done, but some file is damaged; 4 no file could be read.`;

export function statsCommand(program: Command): void {
  const command = program.command('stats').description('Say what is in captures: one block, or JSON object, a file.');
  addInputOptions(command)
    .option('--json', 'one JSON object a file')
    .addOption(new Option('--reader <NAME>', 'second, independent reader of classic pcap').choices(['pcap-parser']))
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(files: string[], options: Options): Promise<void> {
  const paths = inputPaths(files, options);
  const out = new LineWriter();
  const progress = new Progress();
  const summaries: CaptureSummary[] = [];
  for (const path of paths) {
    const summary = await summaryOf(path, options.reader, progress);
    summaries.push(summary);
    progress.clear();
    if (options.json) out.json(summary);
    else out.line((summaries.length > 1 ? '\n' : '') + block(summary));
    if (summary.error !== null) complain(summary);
  }
  progress.stop();
  out.close();
  process.exitCode = exitCode(summaries);
}

async function summaryOf(path: string, reader: ReaderName | undefined, progress: Progress): Promise<CaptureSummary> {
  const capture = path === STANDARD_INPUT ? await openStandardInput({ reader }) : openCapture(path, { reader });
  return summarize(capture, (packets) => {
    const { bytesRead, bytesTotal } = capture;
    progress.update(bytesTotal ? bytesRead / bytesTotal : null, packets);
  });
}

function complain({ file, error }: CaptureSummary): void {
  notice(`${file}: ${error!.message} (${error!.code}, byte ${error!.offset})`);
}

function exitCode(summaries: CaptureSummary[]): number {
  if (summaries.every(({ error }) => error === null)) return EXIT_OK;
  return summaries.every(({ error, packets }) => error !== null && packets === 0) ? EXIT_UNREADABLE : EXIT_DAMAGED;
}

/** One file for people: names to the left, values aligned. */
function block(summary: CaptureSummary): string {
  const { format, byteOrder, firstTime, lastTime, drops, error } = summary;
  const lines: [string, string][] = [
    ['file', summary.file],
    ['format', format === null ? 'no capture' : `${format}${byteOrder === null ? '' : `, ${byteOrder}-endian`}`],
    ['link types', summary.linkTypes.join(', ') || '-'],
    ['interfaces', String(summary.interfaces)],
    ['packets', grouped(summary.packets)],
    ['captured bytes', grouped(summary.capturedBytes)],
    ['wire bytes', grouped(summary.wireBytes)],
    ['first packet', firstTime ?? '-'],
    ['last packet', lastTime ?? '-'],
    ['drops', drops === null ? 'not said' : grouped(drops)],
  ];
  if (error !== null) lines.push(['damage', `${error.message} (${error.code}, byte ${error.offset})`]);
  return lines.map(([name, value]) => `${name.padEnd(16)}${value}`).join('\n');
}

const grouped = (count: number): string => count.toLocaleString('en-US');
