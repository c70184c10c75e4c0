import { expect, it } from 'vitest';
import { renderTransition } from '../../src/alert/alert.ts';
import { describeFlow, describeShare } from '../../src/model/evidence-text.ts';
import { CRITICAL, evaluation, feed, machine, NOTHING, ruleOf, WARNING } from './machine.ts';

const flood = { values: { pps: 45_210, srcs: 8112, est: 0.021 } };

it('a line has the fields of the interface in their order', () => {
  const m = machine();
  feed(m, ruleOf(), [CRITICAL], flood);
  expect(Object.keys(m.told[0])).toEqual([
    'rule',
    'severity',
    'state',
    'time',
    'window',
    'key',
    'values',
    'expected',
    'summary',
    'evidence',
    'tags',
    'idempotencyKey',
    'alertId',
    'title',
    'filter',
    'advice',
    'since',
    'measured',
  ]);
  expect(m.told[0]).toMatchObject({
    time: '1970-01-01T00:00:10.000000Z',
    window: { start: '1970-01-01T00:00:00.000000Z', end: '1970-01-01T00:00:10.000000Z' },
    filter: 'proto tcp and dst ip 192.0.2.7',
    advice: 'Rate-limit SYN to 192.0.2.7 at the edge.',
  });
  expect(m.told[0].idempotencyKey).toMatch(/^[0-9a-f]{32}$/);
});

it('says what was measured against which limit, and how it ended', () => {
  const m = machine();
  const rule = ruleOf();
  feed(m, rule, [CRITICAL, WARNING], flood);
  m.alerts.evaluate(evaluation(rule, 150, { values: { pps: 12, srcs: 3, est: null } }));
  m.alerts.end();
  expect(m.told.map((t) => t.summary)).toEqual([
    'TCP SYN flood: dst.ip 192.0.2.7: pps 45.2 kpps > 20.0 kpps, est 2.1% < 20%; srcs 8,112',
    'TCP SYN flood: dst.ip 192.0.2.7: pps 45.2 kpps > 5.00 kpps; srcs 8,112, est 2.1%',
    'TCP SYN flood: dst.ip 192.0.2.7: over after 2m 20s; pps 12 pps, was up to 45.2 kpps',
  ]);
});

it('shows the limit that is in force for the key', () => {
  const m = machine();
  const rule = ruleOf({
    levels: [
      {
        severity: 'warning',
        forUs: 0,
        when: {
          op: '<',
          left: {
            op: '*',
            left: { op: 'number', value: 2, unit: 'none' },
            right: { op: 'threshold', name: 'syn_pps' },
          },
          right: { op: 'measure', index: 0, part: null },
        },
      },
    ],
    thresholds: {
      syn_pps: {
        unit: 'pps',
        default: 100,
        prefixes: [{ prefix: { words: [0, 0, 0xffff, 0xc0000207 | 0], bits: 128 }, value: 4000 }],
      },
    },
  });
  feed(m, rule, [[true]], flood);
  m.alerts.evaluate(evaluation(rule, 10, { holds: [true], key: { 'dst.ip': '192.0.2.8' }, ...flood }));
  m.alerts.end();
  expect(m.told.map((t) => t.summary.split(';')[0])).toEqual([
    'TCP SYN flood: dst.ip 192.0.2.7: pps 45.2 kpps > 8.00 kpps',
    'TCP SYN flood: dst.ip 192.0.2.8: pps 45.2 kpps > 200 pps',
  ]);
});

it('fills the template of the rule, with units', () => {
  const m = machine();
  const rule = ruleOf({
    annotations: { summary: '{{title}} {{dst.ip}} {{pps}} {{ est }} {{full.date}} {{full.eta}} {{severity}} {{nope}}' },
  });
  feed(m, rule, [WARNING], { values: { ...flood.values, 'full.date': 86_400e6, 'full.eta': 93_600e6 } });
  expect(m.told[0].summary).toBe('TCP SYN flood 192.0.2.7 45.2 kpps 2.1% 1970-01-02 1d 2h warning -');
});

it('counts are bare numbers in a template, whose author names what is counted', () => {
  const m = machine();
  const [pps, srcs] = ruleOf().measures;
  const measures = [{ ...pps, name: 'syns', unit: 'packets' as const }, srcs];
  const rule = ruleOf({ measures, annotations: { summary: '{{syns}} SYNs from {{srcs}} sources' } });
  feed(m, rule, [WARNING], { values: { syns: 12_345, srcs: 2_500_000 } });
  expect(m.told[0].summary).toBe('12,345 SYNs from 2.50M sources');
  expect(m.told[0].measured[0]).toMatchObject({ name: 'syns', text: '12.3 k packets' });
});

it('tells a flow of the evidence on one line, and no small share as nothing', () => {
  const flow = {
    flowStart: '2026-11-24T04:26:51.164468Z',
    flowEnd: '2026-11-24T04:26:51.183489Z',
    sourceAddress: '2001:db8::1',
    destinationAddress: '192.0.2.80',
    sourceTransportPort: 56922,
    destinationTransportPort: 80,
    protocolIdentifier: 6,
    packetDeltaCount: 20,
    octetDeltaCount: 1131,
    tcpControlBits: 'FS.PA...',
    dnsName: 'x.example',
  };
  expect(describeFlow(flow)).toBe(
    '04:26:51 [2001:db8::1]:56922 > 192.0.2.80:80 tcp 20 packets 1131 bytes FS.PA... dnsName=x.example',
  );
  expect(describeFlow({ a: 1 })).toBe('a=1');
  expect([0, 0.001, 0.01, 0.994].map(describeShare)).toEqual(['0%', '<1%', '1%', '99%']);
});

it('makes a filter of any key', () => {
  const m = machine();
  const key = {
    'src.ip': '2001:db8::/64',
    'src.port': 53,
    proto: 17,
    in_if: 3,
    exporter: 'edge"1',
    'dns.domain': 'a.example',
  };
  m.alerts.evaluate(evaluation(ruleOf({ matchText: 'proto udp or proto tcp' }), 10, { holds: WARNING, key }));
  m.alerts.evaluate(evaluation(ruleOf({ matchText: '', id: 'z' }), 10, { holds: WARNING, key: {} }));
  m.alerts.end();
  expect(m.told.map((t) => t.filter)).toEqual([
    '(proto udp or proto tcp) and src net 2001:db8::/64 and src port 53 and proto udp and in_if 3 and exporter "edge1" and dns domain "a.example"',
    '',
  ]);
});

it('renders for a terminal, in colour only when asked, and lets no control character through', () => {
  const m = machine();
  const rule = ruleOf();
  feed(m, rule, [CRITICAL, NOTHING], flood);
  expect(renderTransition(m.told[0], { colour: false })).toEqual([
    'CRITICAL firing      1970-01-01 00:00:10Z  TCP SYN flood  dst.ip 192.0.2.7',
    '  measured pps 45.2 kpps > 20.0 kpps, est 2.1% < 20%; srcs 8,112',
    '  top      src.ip by packets: 198.51.100.7 40%, 198.51.100.8 20% (13.5 k together)',
    "  look     weir query 'proto tcp and dst ip 192.0.2.7'",
    '  do       Rate-limit SYN to 192.0.2.7 at the edge.',
  ]);
  expect(renderTransition(m.told[1], { colour: false })).toEqual([
    'CRITICAL resolved    1970-01-01 00:00:20Z  TCP SYN flood  dst.ip 192.0.2.7',
    '  measured over after 10s; pps 45.2 kpps, was up to 45.2 kpps',
  ]);
  expect(renderTransition(m.told[0], { colour: true })[0]).toContain('\u001b[1;31mCRITICAL');
  const evil = { ...m.told[0], summary: 'x\u001b[2J', filter: "dns name 'a'", title: 'q\r\n' };
  const lines = renderTransition(evil, { colour: false });
  expect(lines[0]).toContain('q?');
  expect(lines[1]).toContain('x?[2J');
  expect(lines[3]).toBe("  look     weir query 'dns name '\\''a'\\'''");
});
