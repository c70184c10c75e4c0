import { type FlowBatch, type FlowSink, NO_LAYER2, NO_OCTETS, NO_PACKETS, NO_PROTOCOL } from '../model/flow-batch.ts';
import type { Context } from './context.ts';
import { NTP_EPOCH } from './field-value.ts';
import { Blanks } from './row-blanks.ts';
import { compileRows } from './row-code.ts';
import { DEFAULTS, RowScratch } from './row-columns.ts';
import { copyAddress, copyIfZero, copyInnerAddress, copyNtp, copyUint } from './row-copy.ts';
import { finishRows } from './row-finish.ts';
import {
  IF_ZERO,
  INNER_ADDRESS,
  planRows,
  type RowPlan,
  type RowStep,
  SCRATCH_IF_ZERO,
  SCRATCH_NTP,
  SCRATCH_UINT,
  UINT,
} from './row-plan.ts';
import type { Template } from './template.ts';

/** Records of a layout before a loop is made for it. */
const WORTH_CODE = 2000;

/** Where the fields of the record at hand are; only for records of variable length. */
export interface Places {
  at: Int32Array;
  length: Int32Array;
}

/** Looks into the packet that a record carries and fills its row; see `frames.ts`. */
export type FrameFiller = (data: Uint8Array, template: Template, places: Places, batch: FlowBatch, row: number) => void;

/**
 * Records to rows of one batch, column by column: all records of a set have one layout. The batch goes to the sink
 * when it is full and when `flush` is called.
 */
export class RowWriter {
  batch: FlowBatch;
  readonly #scratch: RowScratch;
  #blanks: Blanks;
  /** One a batch. */
  readonly #allBlanks = new Map<FlowBatch, Blanks>();
  readonly #sink: FlowSink;
  readonly #fillFrame: FrameFiller;
  readonly #next: () => FlowBatch;

  /** @param next gives the batch to fill, at the start and after each that went to the sink: few, in turn */
  constructor(next: () => FlowBatch, sink: FlowSink, fillFrame: FrameFiller) {
    this.#next = next;
    this.batch = next();
    this.#scratch = new RowScratch(this.batch.capacity);
    this.#blanks = this.#blanksOf(this.batch);
    this.#sink = sink;
    this.#fillFrame = fillFrame;
  }

  #blanksOf(batch: FlowBatch): Blanks {
    const known = this.#allBlanks.get(batch);
    if (known !== undefined) return known;
    const made = new Blanks(batch);
    this.#allBlanks.set(batch, made);
    return made;
  }

  /** Rows of `count` records of fixed length that begin at `at`. */
  writeFixed(template: Template, view: DataView, at: number, count: number, context: Context): void {
    template.plan ??= planRows(template);
    const { plan, minLength } = template;
    for (let done = 0; done < count; ) {
      const row = this.#room();
      const n = Math.min(count - done, this.batch.capacity - row);
      const first = at + done * minLength;
      this.#defaults(plan, row, row + n);
      this.#copyAll(plan, view, first, minLength, n, row);
      finishRows(this.batch, this.#scratch, plan, context, row, row + n);
      this.batch.length = row + n;
      done += n;
    }
  }

  /** A row of one record whose fields are at `places`. */
  writeOne(template: Template, data: Uint8Array, view: DataView, places: Places, context: Context): void {
    template.plan ??= planRows(template);
    const { plan } = template;
    const row = this.#room();
    this.#defaults(plan, row, row + 1);
    for (const step of plan.steps) {
      this.#copy(step, view, places.at[step.field], places.length[step.field], 0, 1, row);
    }
    finishRows(this.batch, this.#scratch, plan, context, row, row + 1);
    if (plan.frame >= 0) {
      this.#fillFrame(data, template, places, this.batch, row);
      this.#blanks.forget();
    }
    this.batch.length = row + 1;
  }

  /** A row that only says who sent it and when. */
  blank(context: Context): number {
    const row = this.#room();
    for (const [column, value] of DEFAULTS) this.batch[column][row] = value;
    // What is put into such a row is not known here.
    this.#blanks.forget();
    this.#clearAddresses(row, row + 1);
    this.batch.meta[row] = NO_PACKETS | NO_OCTETS | NO_LAYER2 | NO_PROTOCOL;
    this.batch.startUs[row] = context.exportUs;
    this.batch.endUs[row] = context.exportUs;
    this.batch.samplingInterval[row] = 1;
    this.batch.exporter[row] = context.exporterName;
    this.batch.observationDomainId[row] = context.domain.id;
    this.batch.length = row + 1;
    return row;
  }

  flush(): void {
    if (this.batch.length === 0) return;
    this.#sink(this.batch);
    this.batch = this.#next();
    this.batch.length = 0;
    this.#blanks = this.#blanksOf(this.batch);
  }

  #room(): number {
    if (this.batch.length === this.batch.capacity) this.flush();
    return this.batch.length;
  }

  #defaults(plan: RowPlan, row: number, end: number): void {
    this.#blanks.fill(plan, row, end);
    if (!plan.hasBothEnds) this.#clearAddresses(row, end);
    if (plan.hasRate) {
      this.#scratch.space.fill(-1, row, end);
      for (const name of ['interval', 'size', 'population', 'rate'] as const) this.#scratch[name].fill(0, row, end);
    }
    if (plan.hasIcmp) this.#scratch.icmpCode.fill(0, row, end);
  }

  #clearAddresses(row: number, end: number): void {
    const { sourceAddress, destinationAddress, outerSourceAddress, outerDestinationAddress } = this.batch;
    sourceAddress.fill(0, 4 * row, 4 * end);
    destinationAddress.fill(0, 4 * row, 4 * end);
    outerSourceAddress.fill(0, 4 * row, 4 * end);
    outerDestinationAddress.fill(0, 4 * row, 4 * end);
  }

  #copyAll(plan: RowPlan, view: DataView, at: number, stride: number, n: number, row: number): void {
    plan.records += n;
    if (plan.code === undefined && plan.records > WORTH_CODE) plan.code = compileRows(plan, stride);
    if (plan.code) plan.code(this.batch, this.#scratch, view, at, n, row);
    else for (const step of plan.steps) this.#copy(step, view, at + step.offset, step.length, stride, n, row);
  }

  #copy(step: RowStep, view: DataView, at: number, length: number, stride: number, n: number, row: number): void {
    const { batch } = this;
    const target = step.kind >= SCRATCH_UINT ? this.#scratch[step.scratch] : batch[step.column];
    const { kind, isSource } = step;
    if (kind === UINT || kind === SCRATCH_UINT) copyUint(view, at, length, stride, n, target, row);
    else if (kind === IF_ZERO || kind === SCRATCH_IF_ZERO) copyIfZero(view, at, length, stride, n, target, row);
    else if (kind === SCRATCH_NTP) copyNtp(view, at, stride, n, target, row, NTP_EPOCH);
    else {
      const words = isSource ? batch.sourceAddress : batch.destinationAddress;
      const outer = isSource ? batch.outerSourceAddress : batch.outerDestinationAddress;
      if (kind === INNER_ADDRESS) copyInnerAddress(view, at, length, stride, n, words, outer, row);
      else copyAddress(view, at, length, stride, n, words, row);
    }
  }
}
