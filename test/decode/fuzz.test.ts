import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LINK_TYPES } from '../../src/decode/link-types.ts';
import * as R from '../../src/model/packet-rows.ts';
import { decodeFrames, type Frame, hex, SMALL } from './frames.ts';

const IPV6 = '60000000 0014 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002';
const TCP = '04d20050 00000001 00000000 5002ffff 00000000';
const ipv4 = (total: number, protocol: string): string =>
  `4500 ${total.toString(16).padStart(4, '0')} 0001 2000 40 ${protocol} 0000 c0000201 c0000202`;

/** Packets that reach deep, to be damaged. */
const SEEDS = [
  `0200000000020200000000018100000788a8000886dd ${IPV6} ${TCP}`,
  `020000000002020000000001 8847 00001040 00000000 020000000002020000000001 0800 ${ipv4(40, '06')} ${TCP}`,
  `020000000002020000000001 8864 1100 0001 0016 0021 ${ipv4(20, '2f')} 2000 0800 00000001 ${ipv4(40, '06')} ${TCP}`,
  `020000000002020000000001 0800 ${ipv4(120, '11')} 12b5 12b5 0064 0000 0800000000000100 020000000002020000000001 86dd ${IPV6}`,
  `020000000002020000000001 0800 ${ipv4(120, '11')} 0868 0868 0064 0000 34ff003400000001 00000085 01100100 ${ipv4(40, '06')} ${TCP}`,
  `020000000002020000000001 86dd 60000000 0060 00 40 ${'00'.repeat(32)} 2b00050200000000 2c000000 00000000 3c00000100000001 3300010400000000 06040000 00000000 00000000 ${TCP}`,
  `020000000002020000000001 0800 ${ipv4(71, '11')} 0035 c000 0033 0000 0001 8180 0001 0001 0000 0000 0161 0362 6364 00 0001 0001 c00c 0001 0001 0000000a 0004 c0000207`,
  `020000000002020000000001 0800 ${ipv4(100, '06')} 04d201bb 00000001 00000000 5018ffff 00000000 16030100380100003403030000${'00'.repeat(30)}00000213010100000900000005000300000161`,
  `020000000002020000000001 0026 aaaa03 000000 0800 ${ipv4(20, '01')} 0800 0000 0001 0001`,
  `0000 1a00 2f480000 0000000000000000 1002 00000000 0000000000 8801 0000 020000000001 020000000002 020000000003 0010 8000 aaaa03 000000 0800 ${ipv4(28, '01')}`,
  `0200 0000 0800 0100 11223344 1c00 0900 ${ipv4(24, '06')}`,
  `020000000002020000000001 0800 ${ipv4(90, '11')} 147f c000 0046 0000 0020 0000 00000000 020000000002020000000001 0800 ${ipv4(28, '01')}`,
].map(hex);

const linkType = fc.oneof(fc.constantFrom(...LINK_TYPES), fc.integer({ min: 0, max: 300 }));

const mutated = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
    fc.nat(200),
  )
  .map(([seed, changes, cut]) => {
    const bytes = Uint8Array.from(seed);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return cut < 150 ? bytes : bytes.subarray(0, cut % bytes.length);
  });

const frame: fc.Arbitrary<Frame> = fc.record({
  bytes: fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated, mutated),
  linkType: fc.oneof(linkType, fc.constant(1), fc.constant(1)),
  wireLength: fc.oneof(fc.nat(300), fc.constantFrom(0, 0xffffffff, 65536)),
  timeUs: fc.oneof(fc.nat(), fc.constant(Number.NaN)),
});

describe('bytes that nobody meant', () => {
  it('give one row a packet, with values in their bounds, and never an error', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.boolean(), (frames, tunnels) => {
        const { rows, raw } = decodeFrames(frames, { tunnels, maxTunnels: 3, ...SMALL });
        expect(rows.length).toBe(frames.length);
        for (const [i, row] of rows.entries()) {
          expect(row.wire).toBe(frames[i].wireLength);
          expect(row.vlan).toBeGreaterThanOrEqual(-1);
          expect(row.vlan).toBeLessThan(4096);
          expect(row.flags).toBeLessThan(4096);
          expect(row.tos).toBeLessThan(256);
          expect(row.meta >>> 21).toBe(0);
          expect(row.layers.split(' ').length).toBeLessThanOrEqual(128);
          if (!(row.meta & R.HAS_IP)) expect(row.meta & (R.HAS_PORTS | R.HAS_ICMP | R.HAS_OUTER | 0xff)).toBe(0);
          expect(raw.words[i * R.ROW + R.ICMP] >>> 16).toBe(0);
          expect(raw.words[i * R.ROW + R.IDENTIFIER] >>> 16).toBe(0);
          if (!tunnels) expect(row.outer).toBeNull();
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('read nothing beyond a packet: what stands behind it changes no row', () => {
    fc.assert(
      fc.property(frame, fc.uint8Array({ minLength: 64, maxLength: 64 }), (one, noise) => {
        const alone = decodeFrames([one], SMALL);
        const followed = decodeFrames([one, { bytes: noise, linkType: 147 }], SMALL);
        expect(followed.rows[0]).toEqual(alone.rows[0]);
      }),
      { numRuns: 1500 },
    );
  });
});
