import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/core/errors.ts';
import { formatUs } from '../../src/core/time.ts';
import { formatAddress } from '../../src/model/address.ts';
import type { Transition } from '../../src/model/alert.ts';
import { ESTABLISHED, FIRST, type FlowBatch, HAS_PORTS, IS_ARP, UNASKED } from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import { flowRows, judge, loadRuleTexts, TEST_START_US, uncovered } from '../../src/rule/rule.ts';
import { readTests } from '../../src/rule/test-file.ts';

function read(flows: string[], expected = '[{none: true}]') {
  const findings: Finding[] = [];
  const list = flows.map((line) => `    - ${JSON.stringify(line)}\n`).join('');
  const text = `rule: a\ncases:\n- name: n\n  flows:\n${list}  expect: ${expected}\n`;
  return { cases: readTests('x.test.yaml', text, findings), findings };
}

function rows(line: string, options = {}): FlowBatch[] {
  const { cases, findings } = read([line]);
  expect(findings).toEqual([]);
  return flowRows(cases[0].flows, new Names(), options);
}

const total = (batches: FlowBatch[], column: 'packetDeltaCount' | 'octetDeltaCount' | 'reversePacketDeltaCount') =>
  batches.reduce((sum, batch) => sum + batch[column].reduce((a, b) => a + b, 0), 0);
const count = (batches: FlowBatch[]) => batches.reduce((sum, batch) => sum + batch.length, 0);

describe('flow lines', () => {
  test('spread over the addresses of a net, and every packet counts once', () => {
    const batches = rows('0s..60s every 1s: tcp flags S 198.51.100.0/24 -> 192.0.2.7:80 packets 9000');
    expect(count(batches)).toBe(60 * 256);
    expect(total(batches, 'packetDeltaCount')).toBe(60 * 9000);
    const sources = new Set<string>();
    for (const batch of batches)
      for (let i = 0; i < batch.length; i++) sources.add(formatAddress(batch.sourceAddress, 4 * i));
    expect(sources.size).toBe(256);
    expect(formatAddress(batches[0].destinationAddress, 0)).toBe('192.0.2.7');
    expect(batches[0].destinationTransportPort[0]).toBe(80);
    expect(batches[0].tcpControlBits[0]).toBe(2);
  });

  test('a handshake that went on is answered', () => {
    const [batch] = rows('5s: tcp flags SAPF 198.51.100.1 -> 192.0.2.7:80 packets 10');
    expect(batch.meta[0] & (FIRST | ESTABLISHED)).toBe(FIRST | ESTABLISHED);
    expect(batch.reversePacketDeltaCount[0]).toBe(10);
    expect(batch.reverseTcpControlBits[0] & 0x12).toBe(0x12);
    expect(batch.startUs[0]).toBe(TEST_START_US + 5e6);
  });

  test('long flows begin once', () => {
    const batches = rows('0s..10s every 1s: udp 10.0.0.1 -> 10.0.0.2:53 long');
    expect(
      batches.flatMap((batch) => [...batch.meta.slice(0, batch.length)]).map((meta) => (meta & FIRST) !== 0),
    ).toEqual([true, ...new Array(9).fill(false)]);
  });

  test('words of the rest', () => {
    const names = new Names();
    const { cases } = read([
      '0s: udp [2001:db8::1]:53 -> [2001:db8::2]:4000-4001 flows 2 unasked dns_response dns name "%.example.net" dns type TXT vlan 7',
      '0s: arp 192.168.1.1 -> 192.168.1.0/24 flows 4 src mac 02:00:00:00:00:09',
      '0s: udp 10.0.0.1 -> 10.0.0.2 no_ports in_if 3 exporter r1',
    ]);
    const [batch] = flowRows(cases[0].flows, names);
    const at = (wanted: (i: number) => boolean) => [...Array(batch.length).keys()].filter(wanted);
    const dns = at((i) => batch.vlanId[i] === 7);
    expect(dns.map((i) => batch.destinationTransportPort[i])).toEqual([4000, 4001]);
    expect(new Set(dns.map((i) => names.names.text(batch.dnsName[i]))).size).toBe(2);
    expect(dns.every((i) => (batch.meta[i] & UNASKED) !== 0 && batch.dnsType[i] === 16)).toBe(true);
    const arp = at((i) => (batch.meta[i] & IS_ARP) !== 0);
    expect(arp.map((i) => formatAddress(batch.destinationAddress, 4 * i))).toEqual([
      '192.168.1.0',
      '192.168.1.1',
      '192.168.1.2',
      '192.168.1.3',
    ]);
    expect(batch.sourceMacAddress[arp[0]]).toBe(0x020000000009);
    const [fragment] = at((i) => batch.ingressInterface[i] === 3);
    expect(batch.meta[fragment] & HAS_PORTS).toBe(0);
    expect(names.exporters.text(batch.exporter[fragment])).toBe('r1');
  });

  test('the same seed gives the same rows; shuffled ones are the same rows within the bound', () => {
    const line = '0s..30s every 1s: tcp flags S 198.51.100.0/28 -> 192.0.2.7:80 packets 64 jitter 0.5 chance 0.7';
    const times = (options: object) =>
      rows(line, options).flatMap((batch) => [...batch.startUs.slice(0, batch.length)]);
    const plain = times({});
    const shuffled = times({ shuffle: true, seed: 5 });
    expect(times({ shuffle: true, seed: 5 })).toEqual(shuffled);
    expect(shuffled).not.toEqual(plain);
    expect([...shuffled].sort()).toEqual([...plain].sort());
    expect(plain).toEqual([...plain].sort((a, b) => a - b));
    let newest = 0;
    for (const time of shuffled) {
      newest = Math.max(newest, time);
      expect(newest - time).toBeLessThan(3e6);
    }
  });

  test('packets and bytes of a line are never lost', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 0, max: 100000 }),
        (flows, packets, bytes) => {
          const batches = rows(
            `0s..3s every 1s: udp 10.0.0.0/24 -> 192.0.2.7:80 flows ${flows} packets ${packets} bytes ${bytes}`,
          );
          expect(total(batches, 'packetDeltaCount')).toBe(3 * packets);
          expect(total(batches, 'octetDeltaCount')).toBe(3 * bytes);
          expect(count(batches)).toBe(3 * flows);
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each([
    ['tcp 10.0.0.1 -> 10.0.0.2', 1],
    ['0s..0s: tcp 10.0.0.1 -> 10.0.0.2', 1],
    ['0s: tpc 10.0.0.1 -> 10.0.0.2', 5],
    ['0s: tcp 10.0.0.1 10.0.0.2', 18],
    ['0s: tcp 10.0.0.1 -> nowhere', 21],
    ['0s: tcp flags Q 10.0.0.1 -> 10.0.0.2', 15],
    ['0s: tcp 10.0.0.1 -> 10.0.0.2 toString 5', 30],
    ['0s: tcp 10.0.0.1 -> 10.0.0.2 packets many', 38],
    ['0s: tcp flags S', 16],
    ['0s..9999d every 1us: tcp 10.0.0.1 -> 10.0.0.2', 1],
  ])('%s', (line, column) => {
    const { findings } = read([line]);
    expect(findings[0]).toMatchObject({ line: 5, column: column + 7 });
  });
});

describe('judging', () => {
  const transition = (
    second: number,
    state: Transition['state'],
    severity: Transition['severity'],
    key: Transition['key'] = { 'dst.ip': '192.0.2.7' },
  ) => ({ rule: 'a', state, severity, key, time: formatUs(TEST_START_US + second * 1e6) }) as Transition;
  const story = [
    transition(10, 'firing', 'warning'),
    transition(20, 'escalated', 'critical'),
    transition(60, 'resolved', 'critical'),
  ];
  const verdict = (expected: string, told = story) =>
    judge(read([], expected).cases[0] ?? read(['0s: tcp 10.0.0.1 -> 10.0.0.2'], expected).cases[0], told, TEST_START_US)
      .failures.length;

  test.each<[string, number]>([
    ['[{within: 15s, severity: warning}]', 0],
    ['[{within: 5s, severity: warning}]', 1],
    ['[{within: 15s, severity: critical}]', 1],
    ['[{at: 20s, severity: critical, key: {dst.ip: 192.0.2.7}}]', 0],
    ['[{at: 15s, severity: critical}]', 1],
    ['[{at: 15s, severity: warning}]', 0],
    ['[{at: 30s, severity: warning}]', 0],
    ['[{at: 30s, key: {dst.ip: 192.0.2.8}}]', 1],
    ['[{at: 60s, none: true}]', 0],
    ['[{at: 59s, none: true}]', 1],
    ['[{after: 60s, none: true}]', 0],
    ['[{after: 30s, none: true}]', 1],
    ['[{none: true}]', 1],
    ['[{none: true, key: {dst.ip: 192.0.2.8}}]', 0],
    ['[{none: true, severity: critical}]', 1],
    ['[{none: true, rule: b}]', 0],
    ['[{state: resolved, within: 1m}]', 0],
    ['[{state: suppressed}]', 1],
  ])('%s', (expected, failures) => {
    expect(verdict(expected)).toBe(failures);
  });

  test('a quiet story passes only what wants quiet', () => {
    expect(verdict('[{none: true}]', [])).toBe(0);
    expect(verdict('[{within: 1m}]', [])).toBe(1);
    expect(verdict('[{none: true}]', [transition(1, 'pending', 'warning')])).toBe(0);
  });

  test('coverage tells severities that no case reaches', () => {
    const { rules } = loadRuleTexts({
      x: 'version: 1\nrules:\n- {id: a, window: 1s, measure: {n: count(rows)}, when: {info: n > 1, warning: n > 2, critical: n > 3}}\n',
    });
    const test = read(['0s: tcp 10.0.0.1 -> 10.0.0.2']).cases[0];
    expect(uncovered(rules.rules[0], [judge(test, story, TEST_START_US)])).toEqual(['info']);
  });
});
