import { describe, expect, it } from 'vitest';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { bytesOf, concat, decoder, EXPORT_TIME, ipfix, netflow9, set, templateRecord } from './decode.ts';

const V4 = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [1, 4],
  [2, 4],
] as const;
const record = (source: number, octets: number, packets: number): Uint8Array =>
  bytesOf([
    [4, source],
    [4, 0xc0000202],
    [2, 1234],
    [2, 443],
    [1, 6],
    [4, octets],
    [4, packets],
  ]);
const LOST = 'weir_exporter_lost_total';

describe('templates', () => {
  it('records before their template are held and come out, in order, when it comes', () => {
    const { decode, rows, flows, batched } = decoder();
    decode(ipfix(0, 7, set(256, record(1, 100, 1), record(2, 200, 2))));
    decode(ipfix(2, 7, set(256, record(3, 300, 3))));
    expect(rows).toEqual([]);
    expect(batched.waiting).toBe(2);
    decode(ipfix(3, 7, set(2, templateRecord(256, V4)), set(256, record(4, 400, 4))));
    expect(rows.map((row) => row.flow.octetDeltaCount)).toEqual([100, 200, 300, 400]);
    expect(flows.map((flow) => flow.octetDeltaCount)).toEqual([100, 200, 300, 400]);
    expect(batched.waiting).toBe(0);
  });

  it('belong to their exporter and their observation domain', () => {
    const { decode, rows } = decoder();
    decode(ipfix(0, 7, set(2, templateRecord(256, V4))));
    decode(ipfix(0, 8, set(256, record(1, 100, 1))));
    decode(ipfix(0, 7, set(256, record(1, 100, 1))), Number.NaN, '192.0.2.2');
    expect(rows).toEqual([]);
  });

  it('are kept over a restart, with what waits, sampling and sequence numbers', () => {
    const before = decoder();
    before.decode(ipfix(0, 7, set(2, templateRecord(256, V4))));
    before.decode(ipfix(0, 7, set(257, record(9, 900, 9))));
    before.decode(netflow9(1, 5, 1000, set(0, templateRecord(300, V4))));
    const out = new StateWriter();
    before.batched.save(out);

    const after = decoder();
    after.batched.restore(new StateReader(out.concat()));
    after.decode(ipfix(0, 7, set(256, record(1, 100, 1))));
    after.decode(netflow9(2, 5, 2000, set(300, record(2, 200, 2))));
    after.decode(ipfix(1, 7, set(2, templateRecord(257, V4))));
    expect(after.flows.map((flow) => flow.octetDeltaCount)).toEqual([100, 200, 900]);
    const again = new StateWriter();
    after.batched.save(again);
    expect(again.byteLength).toBeGreaterThan(0);
  });

  it('without fields, and with fields of no length, do not spin', () => {
    const { decode, rows, metrics } = decoder();
    decode(ipfix(0, 1, set(2, templateRecord(256, [])), set(256, new Uint8Array(100))));
    decode(
      ipfix(
        0,
        1,
        set(
          2,
          templateRecord(257, [
            [8, 0],
            [12, 0],
          ]),
        ),
        set(257, new Uint8Array(100)),
      ),
    );
    decode(netflow9(0, 1, 0, set(0, templateRecord(258, [])), set(258, new Uint8Array(100))));
    expect(rows).toEqual([]);
    expect(metrics.snapshot()['weir_exporter_damaged_total{cause="empty_template"}']).toBe(3);
  });

  it('a storm of them stays within bounds, and the exporter goes on', () => {
    const { batched, decode, flows, metrics } = decoder();
    const data = ipfix(0, 0, ...Array.from({ length: 50 }, (_, i) => set(2, templateRecord(256 + i, V4))));
    const view = new DataView(data.buffer);
    for (let domain = 0; domain < 400; domain++) {
      view.setUint32(12, domain);
      batched.decode(data, 0, data.length, '192.0.2.1', 1, Number.NaN);
    }
    expect(metrics.snapshot()['weir_exporter_dropped_total{cause="templates_full"}']).toBe(400 * 50 - 4096);
    expect(batched.status()[0].templates).toBe(4096);
    decode(ipfix(0, 5, set(2, templateRecord(256, V4)), set(256, record(1, 100, 1))));
    expect(flows.length).toBe(1);
  });
});

describe('fields', () => {
  it('variable lengths in one and in three bytes, reverse and enterprise elements', () => {
    const { decode, rows, flows } = decoder();
    const fields = [
      [8, 4],
      [12, 4],
      [4, 1],
      [96, 65_535],
      [1, 4],
      [2, 4],
      [1, 4, 29_305],
      [2, 4, 29_305],
      [7, 2, 12_345],
    ];
    const name = new TextEncoder().encode('kerberos');
    const long = new Uint8Array(300).fill(0x61);
    const rest = bytesOf([
      [4, 100],
      [4, 1],
      [4, 50],
      [4, 2],
      [2, 0xabcd],
    ]);
    const start = bytesOf([
      [4, 0xc0000201],
      [4, 0xc0000202],
      [1, 17],
    ]);
    const first = concat(start, bytesOf([[1, 8]]), name, rest);
    const second = concat(
      start,
      bytesOf([
        [1, 255],
        [2, 300],
      ]),
      long,
      rest,
    );
    decode(ipfix(0, 1, set(2, templateRecord(256, fields)), set(256, first, second)));
    expect(rows.map((row) => row.elements['applicationName'])).toEqual(['kerberos', 'a'.repeat(300)]);
    expect(rows[0].elements).toMatchObject({
      reverseOctetDeltaCount: 50,
      reversePacketDeltaCount: 2,
      '12345:7': 'abcd',
    });
    expect(flows[1]).toMatchObject({ octetDeltaCount: 100, reverseOctetDeltaCount: 50, reversePacketDeltaCount: 2 });
  });

  it('AS numbers of 32 bits, three bytes of a number, names with NULs, and an AS that nobody knows', () => {
    const { decode, rows } = decoder();
    const fields = [
      [8, 4],
      [12, 4],
      [16, 4],
      [17, 4],
      [1, 3],
      [82, 8],
    ];
    const start = bytesOf([
      [4, 1],
      [4, 2],
      [4, 4_200_000_001],
      [4, 0xffffffff],
      [3, 70_000],
    ]);
    const name = concat(new TextEncoder().encode('ge-0'), new Uint8Array(4));
    decode(ipfix(0, 1, set(2, templateRecord(256, fields)), set(256, concat(start, name))));
    expect(rows[0].flow).toMatchObject({ bgpSourceAsNumber: 4_200_000_001, octetDeltaCount: 70_000 });
    expect(rows[0].flow.bgpDestinationAsNumber).toBeUndefined();
    expect(rows[0].elements).toMatchObject({ bgpSourceAsNumber: 4_200_000_001, interfaceName: 'ge-0' });
  });

  it('of inner and outer headers: the last addresses are the own ones', () => {
    const { decode, rows } = decoder();
    const fields = [
      [27, 16],
      [28, 16],
      [8, 4],
      [12, 4],
      [4, 1],
      [4, 1],
      [1, 4],
    ];
    const six = (last: number): Uint8Array =>
      bytesOf([
        [4, 0x20010db8],
        [4, 0],
        [4, 0],
        [4, last],
      ]);
    const both = concat(
      six(1),
      six(2),
      bytesOf([
        [4, 0xc0000201],
        [4, 0xc0000202],
        [1, 41],
        [1, 6],
        [4, 100],
      ]),
    );
    const one = concat(
      six(1),
      six(2),
      bytesOf([
        [4, 0],
        [4, 0],
        [1, 0],
        [1, 6],
        [4, 100],
      ]),
    );
    decode(ipfix(0, 1, set(2, templateRecord(256, fields)), set(256, both, one)));
    expect(rows[0].flow).toMatchObject({
      sourceAddress: '192.0.2.1',
      outerSourceAddress: '2001:db8::1',
      outerDestinationAddress: '2001:db8::2',
      protocolIdentifier: 6,
    });
    expect(rows[1].flow).toMatchObject({ sourceAddress: '2001:db8::1', destinationAddress: '2001:db8::2' });
    expect(rows[1].flow.outerSourceAddress).toBeUndefined();
  });

  it('a frame section is looked into: one packet', () => {
    const { decode, rows } = decoder();
    const udp = bytesOf([
      [2, 1024],
      [2, 53],
      [2, 8 + 4],
      [2, 0],
      [4, 0],
    ]);
    const ip = bytesOf([
      [1, 0x45],
      [1, 0],
      [2, 32],
      [4, 0],
      [1, 64],
      [1, 17],
      [2, 0],
      [4, 0x0a000001],
      [4, 0x0a000002],
    ]);
    const frame = concat(
      bytesOf([
        [6, 1],
        [6, 2],
        [2, 0x0800],
      ]),
      ip,
      udp,
    );
    const body = concat(
      bytesOf([
        [2, 1000],
        [4, 100],
        [1, frame.length],
      ]),
      frame,
    );
    decode(
      ipfix(
        0,
        1,
        set(
          2,
          templateRecord(256, [
            [312, 2],
            [34, 4],
            [315, 65_535],
          ]),
        ),
        set(256, body),
      ),
    );
    expect(rows[0].flow).toMatchObject({
      sourceAddress: '10.0.0.1',
      destinationTransportPort: 53,
      packetDeltaCount: 100,
      octetDeltaCount: 3200,
      layer2OctetDeltaCount: 100_000,
      samplingInterval: 100,
    });
  });
});

describe('sampling', () => {
  const options = (id: number, scopes: number, fields: number[][]): Uint8Array =>
    concat(
      bytesOf([
        [2, id],
        [2, fields.length],
        [2, scopes],
      ]),
      ...fields.map(([e, l]) =>
        bytesOf([
          [2, e],
          [2, l],
        ]),
      ),
    );
  const SAMPLED = [...V4, [302, 4]];
  const sampled = (selector: number): Uint8Array => concat(record(1, 100, 2), bytesOf([[4, selector]]));

  it('n of N comes before the interval, by selector; an unknown selector scales nothing', () => {
    const { decode, rows, batched } = decoder();
    decode(
      ipfix(
        0,
        1,
        set(
          3,
          options(300, 1, [
            [302, 4],
            [309, 4],
            [310, 4],
            [305, 4],
          ]),
        ),
        set(
          300,
          bytesOf([
            [4, 11],
            [4, 2],
            [4, 1000],
            [4, 7],
          ]),
        ),
        set(2, templateRecord(256, SAMPLED)),
        set(256, sampled(11), sampled(12)),
      ),
    );
    const flows = rows.filter((row) => row.kind === 'flow').map((row) => row.flow);
    expect(flows[0]).toMatchObject({ samplingInterval: 500, octetDeltaCount: 50_000, packetDeltaCount: 1000 });
    expect(flows[1]).toMatchObject({ samplingInterval: null, octetDeltaCount: 100, packetDeltaCount: 2 });
    expect(batched.status()[0]).toMatchObject({ samplingKnown: true, samplingUnknown: true });
  });

  it('an estimate says how far it may be off; what was not sampled does not', () => {
    const { decode, flows } = decoder({ samplingOf: (address) => (address === '192.0.2.9' ? 100 : 0) });
    const data = ipfix(0, 7, set(2, templateRecord(256, V4)), set(256, record(1, 6000, 4)));
    decode(data);
    decode(data, Number.NaN, '192.0.2.9');
    expect(flows[0]).not.toHaveProperty('relativeError');
    expect(flows[1]).toMatchObject({ packetDeltaCount: 400, relativeError: 0.98 });
  });

  it('the interval with a space; a configured rate is above all', () => {
    for (const [samplingOf, rate] of [
      [undefined, 10],
      [() => 4, 4],
    ] as const) {
      const { decode, rows } = decoder({ samplingOf });
      decode(
        ipfix(
          0,
          1,
          set(
            3,
            options(300, 1, [
              [143, 4],
              [305, 4],
              [306, 4],
            ]),
          ),
          set(
            300,
            bytesOf([
              [4, 1],
              [4, 1],
              [4, 9],
            ]),
          ),
        ),
      );
      decode(ipfix(1, 1, set(2, templateRecord(256, V4)), set(256, record(1, 100, 2))));
      expect(rows.at(-1)?.flow.samplingInterval).toBe(rate);
      expect(rows.at(-1)?.elements['octetDeltaCount']).toBe(100);
    }
  });
});

describe('time', () => {
  it('an uptime that wrapped between flow and export', () => {
    const { decode, rows } = decoder();
    const fields = [...V4, [22, 4], [21, 4]];
    const data = concat(
      record(1, 1, 1),
      bytesOf([
        [4, 2 ** 32 - 1000],
        [4, 500],
      ]),
    );
    decode(netflow9(0, 1, 1500, set(0, templateRecord(256, fields)), set(256, data)));
    const ms = (text?: string): number => Date.parse(text ?? '') - EXPORT_TIME * 1000;
    expect([ms(rows[0].flow.flowStart), ms(rows[0].flow.flowEnd)]).toEqual([-2500, -1000]);
  });
});

describe('sequence numbers', () => {
  const one = (sequence: number): Uint8Array => ipfix(sequence, 1, set(256, record(1, 1, 1), record(2, 1, 1)));
  const start = ipfix(0, 1, set(2, templateRecord(256, V4)));

  it('IPFIX counts records: a gap is loss, once; a new beginning is none', () => {
    const { decode, metrics } = decoder();
    decode(start);
    for (const sequence of [0, 2, 4, 10, 12]) decode(one(sequence));
    expect(metrics.snapshot()[LOST]).toBe(4);
    decode(one(0));
    expect(metrics.snapshot()[LOST]).toBe(4);
  });

  it('v9 counts datagrams', () => {
    const { decode, metrics } = decoder();
    const data = (sequence: number): Uint8Array => netflow9(sequence, 1, 0, set(256, record(1, 1, 1), record(1, 1, 1)));
    decode(netflow9(0, 1, 0, set(0, templateRecord(256, V4))));
    for (const sequence of [1, 2, 3, 7, 8]) decode(data(sequence));
    expect(metrics.snapshot()[LOST]).toBe(3);
  });
});
