import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import { createFlowBatch, sharedFlowBuffer, viewFlowBatch } from '../../src/model/flow-batch.ts';

describe('flow batch', () => {
  it.each([1, 7, 512])('has aligned columns for a capacity of %i', (capacity) => {
    const batch = createFlowBatch(capacity);
    expect(batch.startUs).toHaveLength(capacity);
    expect(batch.sourceAddress).toHaveLength(4 * capacity);
    expect(batch.flowEndReason).toHaveLength(capacity);
  });

  it('no column overlaps another', () => {
    const batch = createFlowBatch(3);
    const columns = Object.values(batch).filter((value) => ArrayBuffer.isView(value)) as Uint8Array[];
    const spans = columns
      .map((column) => [column.byteOffset, column.byteOffset + column.byteLength])
      .sort((a, b) => a[0] - b[0]);
    for (let i = 1; i < spans.length; i++) expect(spans[i][0]).toBeGreaterThanOrEqual(spans[i - 1][1]);
    expect(spans.at(-1)?.[1]).toBeLessThanOrEqual(batch.buffer.byteLength);
  });

  it('copies a row whole and clears one to its defaults', () => {
    const from = createFlowBatch(2);
    from.clearRow(1);
    parseAddress('2001:db8::1', from.sourceAddress, 4);
    from.octetDeltaCount[1] = 1234;
    from.vlanId[1] = 7;
    const to = viewFlowBatch(sharedFlowBuffer(2), 2);
    to.copyRow(0, from, 1);
    expect([to.octetDeltaCount[0], to.vlanId[0], to.egressInterface[0]]).toEqual([1234, 7, -1]);
    expect([...to.sourceAddress.slice(0, 4)]).toEqual([...from.sourceAddress.slice(4, 8)]);
    to.clearRow(0);
    expect([to.octetDeltaCount[0], to.vlanId[0], to.samplingInterval[0]]).toEqual([0, -1, 1]);
  });
});
