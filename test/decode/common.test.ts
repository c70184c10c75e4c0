import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Names } from '../../src/model/names.ts';
import { decodeFrames, type Frame, SMALL } from './frames.ts';

/** The fields of a header that the straight path looks at, near their limits more often than not. */
const field = {
  vlan: fc.option(fc.integer({ min: 0, max: 0xffff })),
  version: fc.constantFrom(4, 6),
  firstByte: fc.constantFrom(0x45, 0x45, 0x45, 0x46, 0x44, 0x60, 0x6f),
  protocol: fc.constantFrom(6, 6, 17, 17, 1, 1, 58, 58, 132, 47, 0, 44),
  fragment: fc.constantFrom(0, 0, 0, 0x4000, 0x2000, 0x0001),
  length: fc.integer({ min: -3, max: 3 }),
  zeroLength: fc.boolean(),
  dataOffset: fc.constantFrom(5, 5, 5, 4, 8, 15),
  ports: fc.tuple(fc.constantFrom(53, 80, 123, 1234, 4789, 40000), fc.constantFrom(53, 443, 1900, 2152, 50000)),
  payload: fc.uint8Array({ minLength: 0, maxLength: 40 }),
  handshake: fc.boolean(),
  cut: fc.nat(80),
  missing: fc.nat(3),
};

type Fields = { [K in keyof typeof field]: (typeof field)[K] extends fc.Arbitrary<infer T> ? T : never };

function build(fields: Fields): Uint8Array {
  const header = fields.version === 4 ? 20 : 40;
  const transport = fields.protocol === 6 ? 20 : 8;
  const payload = Buffer.from(fields.payload);
  if (fields.handshake && payload.length > 5) payload.set([22, 3, 1, 0, 0, 1]);
  const bytes = Buffer.alloc(14 + (fields.vlan === null ? 0 : 4) + header + transport + payload.length);
  bytes.set([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8]);
  let at = 12;
  if (fields.vlan !== null) {
    bytes.writeUInt32BE(0x81000000 + fields.vlan, at);
    at += 4;
  }
  bytes.writeUInt16BE(fields.version === 4 ? 0x0800 : 0x86dd, at);
  at += 2;
  bytes[at] = fields.version === 4 ? fields.firstByte : 0x60;
  const length = Math.max(0, fields.zeroLength ? 0 : transport + payload.length + fields.length);
  if (fields.version === 4) {
    bytes[at + 1] = 0xb8;
    bytes.writeUInt16BE(fields.zeroLength ? 0 : header + length, at + 2);
    bytes.writeUInt16BE(fields.fragment, at + 6);
    bytes[at + 9] = fields.protocol;
  } else {
    bytes.writeUInt16BE(length, at + 4);
    bytes[at + 6] = fields.protocol;
  }
  bytes.writeUInt32BE(0xc0000201, at + header - 8);
  bytes.writeUInt32BE(0xc0000202, at + header - 4);
  at += header;
  bytes.writeUInt16BE(fields.ports[0], at);
  bytes.writeUInt16BE(fields.ports[1], at + 2);
  if (fields.protocol === 6) bytes.writeUInt16BE((fields.dataOffset << 12) | 0x118, at + 12);
  else bytes.writeUInt16BE(Math.max(0, 8 + payload.length + fields.missing - 1), at + 4);
  bytes.set(payload, at + transport);
  return bytes;
}

/** The same frame behind a PPI header that says Ethernet: it takes the other path. */
function behindPpi(frame: Frame): Frame {
  const bytes = Buffer.concat([Buffer.from('0000080001000000', 'hex'), frame.bytes]);
  return { ...frame, bytes, linkType: 192, wireLength: (frame.wireLength ?? frame.bytes.length) + 8 };
}

describe('straight path', () => {
  it('gives the row that the path through all headers gives', () => {
    fc.assert(
      fc.property(fc.record(field), fc.boolean(), (fields, shorter) => {
        const whole = build(fields as Fields);
        const bytes = whole.subarray(0, Math.max(0, whole.length - (shorter ? fields.cut : 0)));
        const frame = { bytes, wireLength: whole.length + fields.missing };
        const names = new Names();
        const straight = decodeFrames([frame], { names, ...SMALL });
        const other = decodeFrames([behindPpi(frame)], { names, ...SMALL });
        const [row] = other.rows;
        expect(straight.rows[0]).toEqual({ ...row, wire: row.wire - 8, layers: row.layers.replace(/^ppi ?/, '') });
        expect(straight.causes).toEqual(other.causes);
      }),
      { numRuns: 1500 },
    );
  });
});
