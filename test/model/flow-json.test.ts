import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatUs } from '../../src/core/time.ts';
import { formatAddress, parseAddress } from '../../src/model/address.ts';
import * as F from '../../src/model/flow-batch.ts';
import { FLOW_COLUMNS } from '../../src/model/flow-fields.ts';
import { communityIdOf, FlowFormatter } from '../../src/model/flow-json.ts';
import { Names } from '../../src/model/names.ts';
import { TextCache } from '../../src/model/text-cache.ts';

function batchOf(fill: (batch: F.FlowBatch, names: Names) => void): { format: FlowFormatter; batch: F.FlowBatch } {
  const batch = F.createFlowBatch(1);
  const names = new Names();
  batch.clearRow(0);
  batch.length = 1;
  batch.startUs[0] = 1.5e15;
  batch.endUs[0] = 1.5e15 + 1;
  batch.packetDeltaCount[0] = 3;
  batch.octetDeltaCount[0] = 180;
  batch.layer2OctetDeltaCount[0] = 222;
  parseAddress('192.0.2.1', batch.sourceAddress);
  parseAddress('198.51.100.7', batch.destinationAddress);
  fill(batch, names);
  return { format: new FlowFormatter(names), batch };
}

const tcp = (batch: F.FlowBatch): void => {
  batch.meta[0] = F.HAS_IP | F.HAS_PORTS | F.BIFLOW;
  batch.protocolIdentifier[0] = 6;
  batch.sourceTransportPort[0] = 80;
  batch.destinationTransportPort[0] = 40000;
  batch.tcpControlBits[0] = 18;
};

describe('a flow record as JSON', () => {
  test('has what the record has, in the published order', () => {
    const { format, batch } = batchOf(tcp);
    expect(format.json(batch, 0, 'a "b".pcap')).toBe(
      '{"file":"a \\"b\\".pcap","flowStart":"2017-07-14T02:40:00.000000Z","flowEnd":"2017-07-14T02:40:00.000001Z",' +
        '"sourceAddress":"192.0.2.1","destinationAddress":"198.51.100.7","sourceTransportPort":80,' +
        '"destinationTransportPort":40000,"protocolIdentifier":6,"packetDeltaCount":3,"octetDeltaCount":180,' +
        '"layer2OctetDeltaCount":222,"reversePacketDeltaCount":0,"reverseOctetDeltaCount":0,' +
        '"reverseLayer2OctetDeltaCount":0,"tcpControlBits":18,"reverseTcpControlBits":0,"ipClassOfService":0,' +
        `"communityId":"${communityIdOf(batch, 0)}"}`,
    );
  });

  test('is the same record as the object and the CSV line', () => {
    const { format, batch } = batchOf((each, names) => {
      tcp(each);
      each.layers[0] = names.layers.intern('eth vlan:7 ipv4 tcp');
      each.dnsName[0] = names.names.intern('a,"b".example');
      each.dnsType[0] = 16;
      each.sourceMacAddress[0] = 0x000c29aabbcc;
    });
    const object = format.object(batch, 0);
    expect(JSON.parse(format.json(batch, 0))).toEqual(object);
    expect(object).toMatchObject({ layers: ['eth', 'vlan:7', 'ipv4', 'tcp'], sourceMacAddress: '00:0c:29:aa:bb:cc' });
    expect(Object.keys(object)).toEqual(FLOW_COLUMNS.filter((column) => column in object));
    expect(format.csv(batch, 0)).toContain(',eth vlan:7 ipv4 tcp,');
    expect(format.csv(batch, 0)).toMatch(/,"a,""b"".example",16,,$/);
  });

  test('turns round a connection that began with its SYN-ACK', () => {
    const { format, batch } = batchOf((each) => {
      tcp(each);
      each.meta[0] |= F.OPENED_BY_DESTINATION;
    });
    expect(format.object(batch, 0)).toMatchObject({
      sourceAddress: '198.51.100.7',
      sourceTransportPort: 40000,
      packetDeltaCount: 0,
      reversePacketDeltaCount: 3,
      reverseTcpControlBits: 18,
      tcpControlBits: 0,
    });
  });

  test('without IP has neither addresses nor a protocol', () => {
    const { format, batch } = batchOf((each) => {
      each.meta[0] = F.BIFLOW;
    });
    const object = format.object(batch, 0);
    expect(object).not.toHaveProperty('sourceAddress');
    expect(object).not.toHaveProperty('protocolIdentifier');
    expect(object).not.toHaveProperty('communityId');
  });

  test('says null where an exporter sampled and nobody knows how much', () => {
    const { format, batch } = batchOf((each, names) => {
      each.meta[0] = F.HAS_IP;
      each.exporter[0] = names.exporters.intern('192.0.2.254');
      each.samplingInterval[0] = 0;
    });
    expect(format.object(batch, 0)).toMatchObject({ exporter: '192.0.2.254', samplingInterval: null });
    expect(format.json(batch, 0)).toContain('"samplingInterval":null');
  });
});

describe('remembered texts', () => {
  test('are those that the formatters give', () => {
    const cache = new TextCache();
    const words = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 4, maxLength: 4 });
    const us = fc.integer({ min: 0, max: 4e15 });
    fc.assert(
      fc.property(fc.oneof(words, fc.constant([0, 0, 0xffff, 1]), fc.constant([0, 0, 0, 0])), us, (address, time) => {
        expect(cache.address(Int32Array.from(address), 0)).toBe(formatAddress(Int32Array.from(address)));
        expect(cache.time(time)).toBe(formatUs(time));
      }),
    );
  });
});

const word = fc.oneof(fc.integer(), fc.constant(0), fc.constant(0xffff));
const address = fc.oneof(
  word.map((last) => [0, 0, 0xffff, last]),
  fc.tuple(word, word, word, word),
);
const count = fc.oneof(fc.nat(2000), fc.maxSafeNat(), fc.constant(1.5));
const time = fc.oneof(
  fc.integer({ min: 1, max: 2_000_000_000 }).map((s) => s * 1e6 + (s % 1e6)),
  fc.constantFrom(1, 5e17),
);

test('the bytes of a line are those of the object in JSON, whatever the record', () => {
  const names = new Names();
  const format = new FlowFormatter(names);
  const texts = ['', 'a.example', 'ü"\\\n.example', 'eth ipv4 tcp', 'eth vlan:7 ipv6 udp'];
  fc.assert(
    fc.property(
      fc.record({
        meta: fc.nat((1 << 19) - 1),
        proto: fc.constantFrom(1, 6, 17, 58, 132, 255),
        texts: fc.constantFrom(...texts),
      }),
      fc.tuple(address, address),
      fc.tuple(count, count, count, fc.nat(65535), fc.nat(65535)),
      fc.tuple(time, time),
      fc.tuple(fc.integer({ min: -1, max: 2 ** 48 - 1 }), fc.integer({ min: -1, max: 4000 })),
      fc.constantFrom(undefined, 'a.pcap', 'ü "x".pcap'),
      (kind, [source, destination], [packets, octets, layer2, sport, dport], [start, end], [mac, id], file) => {
        const batch = F.createFlowBatch(1);
        batch.clearRow(0);
        batch.length = 1;
        batch.meta[0] = kind.meta;
        batch.protocolIdentifier[0] = kind.proto;
        batch.sourceAddress.set(source);
        batch.destinationAddress.set(destination);
        batch.outerSourceAddress.set(destination);
        batch.outerDestinationAddress.set(source);
        batch.packetDeltaCount[0] = packets;
        batch.octetDeltaCount[0] = octets;
        batch.reverseLayer2OctetDeltaCount[0] = layer2;
        batch.sourceTransportPort[0] = sport;
        batch.destinationTransportPort[0] = dport;
        batch.icmpTypeCode[0] = sport;
        batch.startUs[0] = start;
        batch.endUs[0] = end;
        batch.sourceMacAddress[0] = mac;
        batch.vlanId[0] = id;
        batch.samplingInterval[0] = Math.max(0, id);
        batch.exporter[0] = names.exporters.intern(kind.texts);
        batch.layers[0] = names.layers.intern(kind.texts);
        batch.dnsName[0] = names.names.intern(kind.texts);
        batch.sni[0] = names.names.intern(kind.texts);
        expect(format.json(batch, 0, file)).toBe(JSON.stringify(format.object(batch, 0, file)));
      },
    ),
    { numRuns: 500 },
  );
});
