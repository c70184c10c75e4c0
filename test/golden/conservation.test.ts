import { describe, expect, test } from 'vitest';
import { dataCaptures } from './captures.ts';
import { meterWhole } from './meter-capture.ts';

/** Whatever a capture holds, damaged and malformed ones too: each packet and byte read is in one record. */
const folders = dataCaptures();

describe.skipIf(folders.length === 0)('every packet counts once (needs ../shared/data)', () => {
  test.each(folders)(
    '$folder',
    async ({ paths }) => {
      const wrong: unknown[] = [];
      for (const path of paths) {
        const { flows, packets, wireBytes } = await meterWhole(path);
        const counted = flows.reduce((sum, flow) => sum + flow.packetDeltaCount! + flow.reversePacketDeltaCount!, 0);
        const bytes = flows.reduce(
          (sum, flow) => sum + flow.layer2OctetDeltaCount! + flow.reverseLayer2OctetDeltaCount!,
          0,
        );
        if (counted !== packets || bytes !== wireBytes) wrong.push({ path, packets, counted, wireBytes, bytes });
      }
      expect(wrong).toEqual([]);
    },
    120_000,
  );
});
