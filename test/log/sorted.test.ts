import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogReader, SortedLogs } from '../../src/log/log.ts';
import { createFlowBatch } from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import { bytesStream } from './read.ts';

const HEADER = 'firstSeen,srcAddr,dstAddr,packets\n';

async function sorted(ends: number[][], runRows: number): Promise<{ sorted: SortedLogs; all: [number, number][] }> {
  const names = new Names();
  let id = 0;
  const all: [number, number][] = [];
  const readers = ends.map((of) => {
    const rows = of.map((end) => {
      all.push([end, id]);
      return `${end},192.0.2.1,192.0.2.2,${id++}\n`;
    });
    return new LogReader('log', bytesStream(Buffer.from(HEADER + rows.join(''))), 'nfdump-csv', { names });
  });
  const logs = new SortedLogs(readers, { runRows });
  await logs.prepare();
  return { sorted: logs, all };
}

describe('logs in order of their starts', () => {
  it('equals a stable sort of all rows, with many runs as with one', async () => {
    const seconds = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(seconds, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 50 }),
        async (ends, runRows) => {
          const { sorted: logs, all } = await sorted(ends, runRows);
          const batch = createFlowBatch(7);
          const got: [number, number][] = [];
          for (const until of [5, 17, 40, Number.POSITIVE_INFINITY]) {
            while (logs.take(until * 1e6, batch)) {
              for (let n = 0; n < batch.length; n++) {
                expect(batch.endUs[n]).toBeLessThanOrEqual(until * 1e6);
                got.push([batch.endUs[n] / 1e6, batch.packetDeltaCount[n]]);
              }
            }
          }
          expect(got).toEqual([...all].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
          expect(logs.nextUs).toBe(Number.POSITIVE_INFINITY);
          logs.close();
        },
      ),
      { numRuns: 150 },
    );
  });
});
