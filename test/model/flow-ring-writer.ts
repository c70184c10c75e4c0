import { workerData } from 'node:worker_threads';
import { createFlowBatch } from '../../src/model/flow-batch.ts';
import { type FlowRingMemory, FlowRingWriter } from '../../src/model/flow-ring.ts';

/** The other thread of `flow-ring.test.ts`: rows that count on, a mark after each batch, and a text at the end. */
const { memory, batches } = workerData as { memory: FlowRingMemory; batches: number };
const ring = new FlowRingWriter(memory);
const batch = createFlowBatch(memory.rows);
let count = 0;
for (let i = 0; i < batches; i++) {
  batch.length = 1 + (i % memory.rows);
  for (let row = 0; row < batch.length; row++) batch.octetDeltaCount[row] = count++;
  ring.rows(1, batch);
  for (let k = 0; k < i % 100; k++) ring.mark(2, count + k / 128);
}
ring.text(3, 'ä'.repeat(100_000));
ring.mark(4, ring.closed ? 1 : 0);
