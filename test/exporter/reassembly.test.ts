import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Reassembly } from '../../src/exporter/exporter.ts';
import { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { bytesOf, concat } from './decode.ts';

const RAW_IP = 101;

const udp = (payload: Uint8Array): Uint8Array =>
  concat(
    bytesOf([
      [2, 4000],
      [2, 4739],
      [2, 8 + payload.length],
      [2, 0],
    ]),
    payload,
  );

function ipv4(id: number, offset: number, isLast: boolean, body: Uint8Array): Uint8Array {
  const header = bytesOf([
    [2, 0x4500],
    [2, 20 + body.length],
    [2, id],
    [2, (isLast ? 0 : 0x2000) | (offset / 8)],
    [2, 0x4011],
    [2, 0],
    [4, 0xc0000209],
    [4, 0xc0000208],
  ]);
  return concat(header, body);
}

function ipv6(id: number, offset: number, isLast: boolean, body: Uint8Array): Uint8Array {
  const address = (last: number): [number, number][] => [
    [4, 0x20010db8],
    [4, 0],
    [4, 0],
    [4, last],
  ];
  const header = bytesOf([[4, 0x60000000], [2, 8 + body.length], [2, 44 * 256 + 64], ...address(9), ...address(8)]);
  return concat(
    header,
    bytesOf([
      [2, 17 * 256],
      [2, offset | (isLast ? 0 : 1)],
      [4, id],
    ]),
    body,
  );
}

type Packet = typeof ipv4;

/** The datagram in pieces of `size` bytes, a multiple of 8. */
function pieces(packet: Packet, id: number, datagram: Uint8Array, size: number): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at < datagram.length; at += size) {
    all.push(packet(id, at, at + size >= datagram.length, datagram.subarray(at, at + size)));
  }
  return all;
}

function reassembled(packets: Uint8Array[], stepUs = 1000): Uint8Array[] {
  const decoder = new Decoder({ names: new Names() }, { metrics: new Metrics() });
  const reassembly = new Reassembly();
  const rows = new PacketRows(1);
  const batch = new PacketBatch(packets.length);
  batch.setData(concat(...packets));
  let offset = 0;
  const whole: Uint8Array[] = [];
  packets.forEach((bytes, i) => {
    batch.offset[i] = offset;
    batch.capturedLength[i] = bytes.length;
    batch.wireLength[i] = bytes.length;
    batch.timeUs[i] = 1.6e15 + i * stepUs;
    batch.linkType[i] = RAW_IP;
    offset += bytes.length;
    batch.length = i + 1;
    decoder.decode(batch, i, i + 1, rows);
    const datagram = reassembly.add(batch, i, rows, 0);
    if (datagram !== null) whole.push(datagram.data);
  });
  return whole;
}

const payload = (length: number, seed = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255);

describe('fragments of datagrams', () => {
  it.each([
    ['IPv4', ipv4],
    ['IPv6', ipv6],
  ])('of %s come together in any order, several at a time', (_, packet) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 3000 }),
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.nat()),
        (length, eights, order) => {
          const datagrams = [payload(length), payload(length + 5, 2)];
          const all = datagrams.flatMap((each, id) => pieces(packet, id, udp(each), 8 * eights));
          fc.pre(pieces(packet, 0, udp(datagrams[0]), 8 * eights).length > 1);
          const shuffled = all.map((each) => [order.next().value, each] as const).sort(([a], [b]) => a - b);
          const got = reassembled(shuffled.map(([, each]) => each));
          expect(got.toSorted((a, b) => a.length - b.length)).toEqual(datagrams);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('that miss a piece, overlap or come too late never become whole', () => {
    const all = pieces(ipv4, 1, udp(payload(1000)), 400);
    expect(reassembled(all.slice(1))).toEqual([]);
    expect(reassembled([all[0], ipv4(1, 392, false, payload(408)), all[2]])).toEqual([]);
    expect(reassembled(all, 31e6)).toEqual([]);
  });

  it('a packet that is none is left alone', () => {
    expect(reassembled([ipv4(1, 0, true, udp(payload(100)))])).toEqual([]);
  });
});
