import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createFlowRing, FlowRingReader } from '../../src/model/flow-ring.ts';

function writer(batches: number) {
  const memory = createFlowRing(8);
  const worker = new Worker(new URL('./flow-ring-writer.ts', import.meta.url), { workerData: { memory, batches } });
  return { ring: new FlowRingReader(memory), worker };
}

describe('flow ring', () => {
  it('hands rows, marks and texts to another thread in order, however far one end is ahead', async () => {
    const { ring, worker } = writer(3000);
    let count = 0;
    let batches = 0;
    let marks = 0;
    let end = Number.NaN;
    const texts: Uint8Array[] = [];
    while (Number.isNaN(end)) {
      if (!ring.next()) {
        await ring.ready();
        continue;
      }
      if (ring.kind === 1) {
        expect(marks).toBe(Math.max(0, batches - 1) % 100);
        expect(ring.batch).toHaveLength(1 + (batches++ % 8));
        for (let row = 0; row < ring.batch.length; row++) expect(ring.batch.octetDeltaCount[row]).toBe(count++);
        marks = 0;
      } else if (ring.kind === 2) {
        expect(ring.value).toBe(count + marks++ / 128);
      } else if (ring.kind === 3) {
        texts.push(ring.bytes);
        if (ring.value === 0) expect(Buffer.concat(texts).toString()).toBe('ä'.repeat(100_000));
      } else {
        end = ring.value;
      }
    }
    expect(batches).toBe(3000);
    expect(end).toBe(0);
    await worker.terminate();
  });

  it('lets the writer go when the reader closes', async () => {
    const { ring, worker } = writer(5000);
    await ring.ready();
    ring.close();
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(ring.next()).toBe(true);
  });
});
