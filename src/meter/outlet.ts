import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { createFlowBatch, type FlowBatch, type FlowSink } from '../model/flow-batch.ts';

/** Small enough that all columns of a batch stay in the second cache while it fills. */
const BATCH_ROWS = 1024;

/** A batch that fills and is handed on when it is full. */
export class Outlet implements Stateful {
  readonly batch: FlowBatch = createFlowBatch(BATCH_ROWS);
  /** Rows given out since construction. */
  total = 0;
  readonly #sink: FlowSink;

  constructor(sink: FlowSink) {
    this.#sink = sink;
  }

  /** The next row to write. */
  next(): number {
    if (this.batch.length === this.batch.capacity) this.deliver();
    this.total++;
    return this.batch.length++;
  }

  deliver(): void {
    if (this.batch.length === 0) return;
    this.#sink(this.batch);
    this.batch.length = 0;
  }

  save(out: StateWriter): void {
    out.number(this.total);
    this.batch.save(out);
  }

  restore(state: StateReader): void {
    this.total = state.number();
    this.batch.restore(state);
  }
}
