import { type Command, Option } from 'commander';
import { type InputError, WeirError } from '../core/errors.ts';
import { EXIT_DAMAGED, EXIT_OK, EXIT_UNREADABLE } from '../core/exit.ts';
import { Metrics } from '../core/metrics.ts';
import { LineWriter } from '../core/output.ts';
import { parseDurationUs } from '../core/units.ts';
import type { MeterOptions } from '../meter/meter.ts';
import { createFlowBatch } from '../model/flow-batch.ts';
import { Names } from '../model/names.ts';
import { meterOnThread, worthThread } from '../packet-thread.ts';
import type { PacketInput } from '../packets.ts';
import type { DecodeFlowsOptions } from './decode-flows.ts';
import {
  createFlowOutput,
  FilteredOutput,
  FLOW_FORMATS,
  type FlowFormat,
  type FlowOutput,
  formatOfFile,
} from './flow-output.ts';
import type { HereMeter } from './flows-here.ts';
import { addInputOptions, type InputOptions, inputPaths } from './inputs.ts';
import { type LogInput, logNotices, openLog, partLogs } from './log-inputs.ts';
import { notice, Progress } from './progress.ts';

/** Captures further out of order than this are read in the order of time: flows are not cut by late packets. */
const BOUND_US = 3e6;
const SECOND_US = 1e6;
const EVICTED = 'weir_meter_flows_evicted_total{cause="table_full"}';

interface Options extends InputOptions, DecodeFlowsOptions {
  decodeFlows?: boolean;
  json?: boolean;
  format?: FlowFormat;
  output?: string;
  filter?: string;
  perFile?: boolean;
  idleTimeout: string;
  activeTimeout: string;
  maxFlows: string;
  tunnels: boolean;
  reader?: 'pcap-parser';
  workers?: '0' | '1';
}

const EXAMPLES = `
Examples:
  weir flows capture.pcap                        a table of its flows
  weir flows captures/*.pcap.gz --json           one JSON object a flow record, all files as one input
  weir flows *.pcap --per-file --json            each file by itself
  weir flows conn.log --json                     the rows of a flow log: Zeek, Suricata EVE, VPC, nfdump, GoFlow2
  weir flows day.pcap --output flows.parquet     the format follows the ending: .json .csv .parquet .ipfix .nfdump
  weir flows day.pcap --filter 'tcp and dst port in (22, 3389) and not src net 10.0.0.0/8'
  weir flows day.pcap --idle-timeout 1m --active-timeout 30m
  tcpdump -w - -i eth0 | weir flows - --json
  weir flows exports.pcap --decode-flows --elements --json
  weir flows template.dat data.dat --datagrams --json

A record stands for both directions of a flow (RFC 5103). docs/flows.md says what a flow is and when it ends.`;

export function flowsCommand(program: Command): void {
  const command = program
    .command('flows')
    .description('Meter captures: print their flows, both directions in one record.');
  addInputOptions(command)
    .option('--json', 'one JSON object a flow record')
    .addOption(new Option('--format <NAME>', 'format of the output').choices(FLOW_FORMATS))
    .option('-o, --output <FILE>', 'write to a file; its ending chooses the format')
    .option('--filter <EXPR>', 'only flows of which a direction satisfies this condition (the grammar of rules)')
    .option('--per-file', 'meter each file by itself instead of all merged by time')
    .option('--idle-timeout <TIME>', 'a flow that is silent longer than this ends', '15s')
    .option('--active-timeout <TIME>', 'a record that gets older than this is cut', '5m')
    .option('--max-flows <N>', 'flows in memory; past it idle ones leave early', String(1 << 20))
    .addOption(new Option('--reader <NAME>', 'second, independent reader of classic pcap').choices(['pcap-parser']))
    .addOption(
      new Option(
        '--workers <N>',
        'threads that read and meter beside the output (default: 1 for large captures)',
      ).choices(['0', '1']),
    )
    .option(
      '--decode-flows',
      'records of NetFlow, IPFIX and sFlow datagrams inside the captures instead of their flows',
    )
    .option('--datagrams', 'each FILE is one UDP payload of an exporter, in the order given')
    .option('--elements', 'every record with its information elements (JSON)')
    .option('--no-tunnels', 'do not look into tunnels')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

/** One input after another through decoder and meter; what was read and what was damaged is kept for the exit code. */
class FlowRun {
  packets = 0;
  damaged = 0;
  readonly #options: Options;
  readonly #names: Names;
  readonly #metrics = new Metrics();
  readonly #output: FlowOutput;
  readonly #progress = new Progress();
  #here: HereMeter | null = null;
  readonly #meterOptions: MeterOptions;
  #file: string | undefined;

  constructor(options: Options, output: FlowOutput, names: Names) {
    this.#options = options;
    this.#output = output;
    this.#names = names;
    this.#meterOptions = {
      idleTimeoutUs: parseTimeout(options.idleTimeout, '--idle-timeout'),
      activeTimeoutUs: parseTimeout(options.activeTimeout, '--active-timeout'),
      maxFlows: parseCount(options.maxFlows, '--max-flows'),
      slices: false,
    };
  }

  /** Meters files as one input. A fragment or a flow of the input before has no say in it. */
  async meter(paths: string[]): Promise<void> {
    this.#file = paths.length === 1 ? paths[0] : undefined;
    const { reader, tunnels, workers } = this.#options;
    const speed = Number.POSITIVE_INFINITY;
    const input = { paths, home: [], boundUs: BOUND_US, reader, tunnels, speed, meter: this.#meterOptions };
    if (workers === undefined ? worthThread(input) : workers === '1') await this.#meterThreaded(input);
    else await this.#meterHere(input);
  }

  /** Reader and meter on a thread of their own, the output on this one; the records are the same. */
  async #meterThreaded(input: PacketInput): Promise<void> {
    const before = this.packets;
    const { packets, errors } = await meterOnThread(
      input,
      {
        notice: (message) => this.#say(message),
        home: () => {},
        slices: () => {},
        records: (batch) => this.#output.write(batch, this.#file),
        advance: () => {},
        first: () => {},
        progress: (share, count) => this.#progress.update(share, before + count),
      },
      { names: this.#names, metrics: this.#metrics },
    );
    this.packets += packets;
    for (const { file, error } of errors) this.#damage(file, error);
  }

  async #meterHere(input: PacketInput): Promise<void> {
    const { HereMeter } = await import('./flows-here.ts');
    const before = this.packets;
    const deps = { names: this.#names, metrics: this.#metrics };
    this.#here ??= new HereMeter(this.#meterOptions, (batch) => this.#output.write(batch, this.#file), deps);
    this.packets += await this.#here.meter(input, {
      notice: (message) => this.#say(message),
      damage: (name, error) => this.#damage(name, error),
      progress: (share, count) => this.#progress.update(share, before + count),
    });
  }

  #damage(name: string, error: InputError): void {
    this.damaged++;
    this.#say(`${name}: ${error.message} (${error.code}, byte ${error.offset})`);
  }

  /** Prints the rows of a log as they are, in its order. */
  async log(input: LogInput): Promise<void> {
    const reader = await openLog(input, this.#names);
    const batch = createFlowBatch(2048);
    while (await reader.read(batch)) {
      this.#output.write(batch, input.path);
      this.packets += batch.length;
    }
    reader.close();
    if (reader.error !== null) this.#damage(input.path, reader.error);
    for (const line of logNotices(reader)) this.#say(line);
  }

  #say(message: string): void {
    this.#progress.clear();
    notice(message);
  }

  async end(): Promise<void> {
    this.#progress.stop();
    await this.#output.end();
    const evicted = this.#metrics.snapshot()[EVICTED] ?? 0;
    if (evicted > 0) notice(`flows that left early because the flow table was full: ${evicted} (see --max-flows)`);
  }
}

async function run(files: string[], options: Options): Promise<void> {
  const paths = inputPaths(files, options);
  const out = new LineWriter(options.output ?? null);
  if (options.decodeFlows || options.datagrams || options.elements) {
    const names = new Names();
    const format = options.elements ? 'json' : formatOf(options);
    const output = await outputOf(options, format, out, names);
    const { decodeFlows } = await import('./decode-flows.ts');
    process.exitCode = await decodeFlows(paths, options, { names, out, output });
    out.close();
    return;
  }
  const names = new Names();
  const flowRun = new FlowRun(options, await outputOf(options, formatOf(options), out, names), names);
  const { logs, others } = await partLogs(paths);
  for (const log of logs) await flowRun.log(log);
  const groups = options.perFile ? others.map((path) => [path]) : [others];
  for (const group of groups) if (group.length > 0) await flowRun.meter(group);
  await flowRun.end();
  out.close();
  if (flowRun.damaged === 0) process.exitCode = EXIT_OK;
  else process.exitCode = flowRun.packets === 0 && flowRun.damaged >= paths.length ? EXIT_UNREADABLE : EXIT_DAMAGED;
}

async function outputOf(options: Options, format: FlowFormat, out: LineWriter, names: Names): Promise<FlowOutput> {
  const output = await createFlowOutput(format, out, names, options.output ?? null);
  if (options.filter === undefined) return output;
  const { parsePredicate } = await import('../rule/rule.ts');
  const { RecordFilter } = await import('../window/window.ts');
  const { predicate, findings } = parsePredicate(options.filter, {}, '--filter');
  const wrong = findings.find(({ level }) => level !== 'warning');
  if (wrong) {
    const { line, column, message, hint } = wrong;
    throw new WeirError('usage.filter', `--filter:${line}:${column}: ${message}`, { hint });
  }
  return new FilteredOutput(output, new RecordFilter(predicate, names));
}

/** What was asked for, else what the file's ending says, else a table. */
function formatOf({ json, format, output }: Options): FlowFormat {
  if (json) return 'json';
  if (format) return format;
  if (output === undefined) return 'table';
  const known = formatOfFile(output);
  if (known !== undefined) return known;
  throw new WeirError('usage.format', `--output ${output}: no format has this ending`, {
    hint: `use .json, .csv, .parquet, .ipfix, .nfdump, or --format ${FLOW_FORMATS.join('|')}`,
  });
}

function parseTimeout(text: string, option: string): number {
  const us = parseDurationUs(text);
  if (us >= SECOND_US) return us;
  throw new WeirError('usage.timeout', `${option} ${text} is no time of a second or more`, { hint: '15s, 5m, 1h' });
}

function parseCount(text: string, option: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1 << 24) return count;
  throw new WeirError('usage.count', `${option} ${text} is no number of flows`, { hint: 'from 1 to 16777216' });
}
