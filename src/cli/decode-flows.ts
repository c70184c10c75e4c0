import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import { EXIT_DAMAGED, EXIT_OK, EXIT_UNREADABLE } from '../core/exit.ts';
import { Metrics } from '../core/metrics.ts';
import type { LineWriter } from '../core/output.ts';
import { Decoder } from '../decode/decode.ts';
import {
  type Elements,
  ExporterDecoder,
  looksLikeExport,
  messagesOf,
  payloadEnd,
  Reassembly,
  type RecordKind,
  udpPayload,
} from '../exporter/exporter.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { FlowFormatter } from '../model/flow-json.ts';
import type { Names } from '../model/names.ts';
import { PacketRows, ROW, SRC } from '../model/packet-rows.ts';
import { TextCache } from '../model/text-cache.ts';
import { openOrdered, type PacketRun } from '../source/source.ts';
import type { FlowOutput } from './flow-output.ts';
import { notice } from './progress.ts';

export interface DecodeFlowsOptions {
  /** Each file is one UDP payload instead of a capture. */
  datagrams?: boolean;
  elements?: boolean;
  perFile?: boolean;
}

const BOUND_US = 3e6;
const ROWS = 128;
/** Who sent datagrams that come without a packet around them. */
const NOBODY = 'file';
const DAMAGED = /^weir_exporter_damaged_total\{cause="(?!unknown_version)/;

/**
 * `weir flows --decode-flows`: records of NetFlow, IPFIX and sFlow datagrams inside captures, or of files that are one
 * datagram each. @returns the exit code
 */
export async function decodeFlows(
  paths: string[],
  options: DecodeFlowsOptions,
  { names, out, output }: { names: Names; out: LineWriter; output: FlowOutput },
): Promise<number> {
  const run = new DecodeRun(names, out, output, options.elements ?? false);
  const datagrams = options.datagrams ? paths : paths.filter(isExport);
  const captures = paths.filter((path) => !datagrams.includes(path));
  for (const path of datagrams) run.datagram(path);
  for (const group of options.perFile ? captures.map((path) => [path]) : [captures]) {
    if (group.length > 0) await run.capture(group);
  }
  await run.end();
  if (run.damaged === 0) return EXIT_OK;
  return run.datagrams === 0 && run.unreadable >= paths.length ? EXIT_UNREADABLE : EXIT_DAMAGED;
}

/** A file of datagrams without a capture around them: IPFIX files (RFC 5655), payloads. */
function isExport(path: string): boolean {
  if (path === '-') return false;
  const head = new Uint8Array(16);
  try {
    const fd = openSync(path, 'r');
    const length = readSync(fd, head, 0, head.length, 0);
    closeSync(fd);
    return looksLikeExport(head.subarray(0, length));
  } catch {
    return false;
  }
}

class DecodeRun {
  datagrams = 0;
  damaged = 0;
  unreadable = 0;
  readonly #names: Names;
  readonly #output: FlowOutput;
  readonly #metrics = new Metrics();
  readonly #rows = new PacketRows(ROWS);
  readonly #texts = new TextCache();
  readonly #exporters: ExporterDecoder;
  readonly #fragments = new Reassembly();
  #file: string | undefined;

  constructor(names: Names, out: LineWriter, output: FlowOutput, elements: boolean) {
    this.#names = names;
    this.#output = output;
    const format = new FlowFormatter(names);
    const onRecord = (kind: RecordKind, batch: FlowBatch, row: number, values: Elements): void => {
      const flow = format.json(batch, row, this.#file).slice(0, -1);
      out.line(`${flow},"record":"${kind}","elements":${JSON.stringify(values)}}`);
    };
    this.#exporters = new ExporterDecoder(
      { names, frames: new Decoder({ names }, { metrics: new Metrics() }) },
      {
        metrics: this.#metrics,
        onFlows: (batch) => output.write(batch, this.#file),
        onRecord: elements ? onRecord : undefined,
      },
    );
  }

  datagram(path: string): void {
    this.#file = path;
    let data: Uint8Array;
    try {
      data = readFileSync(path === '-' ? 0 : path);
    } catch (error) {
      this.#unreadable(`${path}: ${messageOf(error)}`);
      return;
    }
    for (const [from, to] of messagesOf(data)) {
      if (this.#exporters.decode(data, from, to, NOBODY, 0, Number.NaN)) this.datagrams++;
      else this.#unreadable(`${path}: no datagram of NetFlow, IPFIX or sFlow (exporter.unknown, byte ${from})`);
    }
    this.#exporters.flush();
  }

  async capture(paths: string[]): Promise<void> {
    this.#file = paths.length === 1 ? paths[0] : undefined;
    const stream = openOrdered(paths, { boundUs: BOUND_US, notice });
    const decoder = new Decoder({ names: this.#names }, { metrics: new Metrics() });
    for (let run = await stream.next(); run !== null; run = await stream.next()) {
      for (let at = run.from; at < run.to; ) {
        const taken = decoder.decode(run.batch, at, run.to, this.#rows);
        for (let i = 0; i < taken; i++) this.#packet(run, at + i, i);
        at += taken;
      }
    }
    this.#exporters.flush();
    stream.close();
    for (const { name, error } of stream.readers) {
      if (error !== null) this.#unreadable(`${name}: ${error.message} (${error.code}, byte ${error.offset})`);
    }
  }

  #packet({ batch }: PacketRun, at: number, row: number): void {
    const from = udpPayload(batch, at, this.#rows, row);
    if (from >= 0) {
      this.#decode(
        batch.data,
        from,
        payloadEnd(batch, at, from),
        batch.view.getUint16(from - 8),
        batch.timeUs[at],
        row,
      );
      return;
    }
    const whole = this.#fragments.add(batch, at, this.#rows, row);
    if (whole !== null) this.#decode(whole.data, 0, whole.data.length, whole.port, batch.timeUs[at], row);
  }

  #decode(data: Uint8Array, from: number, to: number, port: number, timeUs: number, row: number): void {
    const address = this.#texts.address(this.#rows.words, row * ROW + SRC);
    if (this.#exporters.decode(data, from, to, address, port, timeUs)) this.datagrams++;
  }

  #unreadable(message: string): void {
    this.damaged++;
    this.unreadable++;
    notice(message);
  }

  async end(): Promise<void> {
    await this.#output.end();
    for (const [name, value] of Object.entries(this.#metrics.snapshot())) {
      if (!DAMAGED.test(name)) continue;
      this.damaged++;
      notice(`damaged datagrams: ${name.slice(name.indexOf('"') + 1, -2)} ${value}`);
    }
    const { waiting } = this.#exporters;
    if (waiting > 0) notice(`data sets whose template never came: ${waiting}`);
  }
}
