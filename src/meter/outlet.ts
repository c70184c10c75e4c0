import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { createFlowBatch, type FlowBatch, type FlowSink } from '../model/flow-batch.ts';

/** Small enough that all columns of a batch stay in the second cache while it fills. */
const BATCH_ROWS = 1024;

/**
 * A batch that fills and is handed on when it is full. What no packet knows (exporter, AS numbers, sampling, the interface on
 * the way out) has its value in all rows from the beginning, and tunnels' addresses are zero except where one was written.
 */
export class Outlet implements Stateful {
  readonly batch: FlowBatch = createFlowBatch(BATCH_ROWS);
  /** Rows given out since construction. */
  total = 0;
  /** A row of the batch has tunnels' addresses. */
  hasOuter = false;
  readonly #sink: FlowSink;

  constructor(sink: FlowSink) {
    this.#sink = sink;
    for (let row = 0; row < BATCH_ROWS; row++) this.batch.clearRow(row);
  }

  /** The next row to write. */
  next(): number {
    if (this.batch.length === BATCH_ROWS) this.deliver();
    this.total++;
    return this.batch.length++;
  }

  deliver(): void {
    if (this.batch.length === 0) return;
    this.#sink(this.batch);
    this.batch.length = 0;
    if (this.hasOuter) this.#clearOuter();
  }

  #clearOuter(): void {
    this.batch.outerSourceAddress.fill(0);
    this.batch.outerDestinationAddress.fill(0);
    this.hasOuter = false;
  }

  save(out: StateWriter): void {
    out.number(this.total);
    this.batch.save(out);
  }

  restore(state: StateReader): void {
    this.total = state.number();
    this.batch.restore(state);
    this.hasOuter = true;
  }
}
