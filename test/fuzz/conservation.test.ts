import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LINK_TYPES } from '../../src/decode/link-types.ts';
import { hex } from '../decode/frames.ts';
import { eth, FRAME, INNER, INNER6, ip4, overGre, overUdp } from '../decode/packets.ts';
import { writePcap } from '../source/writer.ts';
import { Lab } from './lab.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import type { Seed } from './seeds.ts';

/** Packets and bytes in are packets and bytes in slices and in records, whatever comes in. */
const FRAMES = [
  FRAME,
  eth(0x86dd, INNER6),
  overGre('0000 0800', INNER),
  overUdp(5000, 4789, `08000000 00007b00 ${FRAME}`),
  overUdp(5000, 53, '0001 0100 0001 0000 0000 0000 0161 00 0001 0001'),
  eth(0x0800, ip4(1, `0303 0000 00000000 ${INNER}`)),
  `020000000002 020000000001 0800 4500 0024 0007 2000 40 11 0000 c0000201 c0000202 0035 c000 0100 0000 0000000000000000`,
  `020000000002 020000000001 0800 4500 0024 0007 0002 40 11 0000 c0000201 c0000202 ${'00'.repeat(16)}`,
  eth(0x0806, '0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202'),
].map(hex);

const packet = fc.record({
  ticks: fc.bigInt({ min: 0n, max: 400_000_000n }),
  data: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...FRAMES) }, fc.uint8Array({ maxLength: 120 })),
});
const capture = fc.record({
  packets: fc.array(packet, { maxLength: 80 }),
  linkType: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.constantFrom(...LINK_TYPES, 147)),
});

async function expectConserved(bytes: Uint8Array, tunnels: boolean): Promise<number> {
  const lab = new Lab(tunnels);
  const { packets, wireBytes } = await lab.stats(bytes, 'weir', 4096);
  const { read, slices, records } = await lab.flows(bytes, 4096);
  expect(read).toMatchObject({ packets, wireBytes });
  expect(slices).toEqual(read);
  expect(records).toEqual(read);
  return packets;
}

describe('conservation', () => {
  test('sound captures of any packets', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.boolean(), async ({ packets, linkType }, tunnels) => {
        expect(await expectConserved(writePcap(packets, { linkType }), tunnels)).toBe(packets.length);
      }),
      { numRuns: 150 },
    );
  });

  test('captures damaged in any way', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.nat(), fc.boolean(), async ({ packets, linkType }, number, tunnels) => {
        const bytes = writePcap(packets, { linkType });
        const seed: Seed = { name: 'case', bytes, records: bytes.length > 24 ? [24, bytes.length] : [] };
        await expectConserved(mutate([seed], new Random(number)).bytes, tunnels);
      }),
      { numRuns: 300 },
    );
  });
});
