import { describe, expect, it } from 'vitest';
import * as R from '../../src/model/packet-rows.ts';
import { decodeFrames, hex } from './frames.ts';
import { eth, h, INNER, INNER6, ip4, ip6, overGre, overUdp, SYN, sizeOf, udp } from './packets.ts';

const AH = (next: string): string => `${next}04 0000 00000001 00000001 000000000000000000000000`;
const over4 = (protocol: number, payload: string): string => eth(0x0800, ip4(protocol, payload));
const over6 = (protocol: number, payload: string): string => eth(0x86dd, ip6(protocol, payload));

/** Protocols that end a packet; tshark 4.0 says the same of each. */
const ENDS: [name: string, packet: string, layers: string, protocol: number, ports: string | null][] = [
  ['AH in IPv4 is stepped over', over4(51, `${AH('06')} ${SYN}`), 'eth ipv4 ah tcp', 6, '1234>80'],
  ['AH in IPv6 is stepped over', over6(51, `${AH('06')} ${SYN}`), 'eth ipv6 ah tcp', 6, '1234>80'],
  ['AH before ESP', over4(51, `${AH('32')} ${'aa'.repeat(32)}`), 'eth ipv4 ah esp', 50, null],
  [
    'hop-by-hop and destination options',
    over6(0, `3c00010400000000 0600010400000000 ${SYN}`),
    'eth ipv6 tcp',
    6,
    '1234>80',
  ],
  ['routing header', over6(43, `06020001 00000000 ${'20'.repeat(16)} ${SYN}`), 'eth ipv6 tcp', 6, '1234>80'],
  ['atomic fragment', over6(44, `0600 0000 00000001 ${SYN}`), 'eth ipv6 tcp', 6, '1234>80'],
  ['mobility header', over6(135, '3b00 0000 00000000'), 'eth ipv6', 135, null],
  ['no next header', over6(59, ''), 'eth ipv6', 59, null],
  ['ESP', over4(50, 'aa'.repeat(32)), 'eth ipv4 esp', 50, null],
  ['UDP-Lite', over4(136, udp(1000, 2000, '00112233')), 'eth ipv4 udplite', 136, '1000>2000'],
  ['DCCP', over4(33, '1389 138a 0400 0000 00 000001 0000'), 'eth ipv4 dccp', 33, '5001>5002'],
  ['SCTP', over4(132, '1389 138a 00000001 00000000 00030010'), 'eth ipv4 sctp', 132, '5001>5002'],
  ['IGMP', over4(2, '16000000 e0000001'), 'eth ipv4 igmp', 2, null],
  ['GRE that carries no IP', overGre('0000 2000', '0102030405060708'), 'eth ipv4 gre', 47, null],
  [
    'VXLAN by source port only',
    overUdp(4789, 5000, `0800000000007b00 ${eth(0x0800, INNER)}`),
    'eth ipv4 udp',
    17,
    '4789>5000',
  ],
  ['GTP echo', overUdp(2152, 2152, '3201 0004 00000000 00010000'), 'eth ipv4 udp', 17, '2152>2152'],
  [
    'VXLAN that carries ARP',
    overUdp(5000, 4789, `0800000000007b00 ${eth(0x0806, '00')}`),
    'eth ipv4 udp vxlan eth arp',
    17,
    '5000>4789',
  ],
];

describe('protocols', () => {
  it.each(ENDS)('%s', (_, packet, layers, protocol, ports) => {
    const { rows } = decodeFrames([hex(packet)]);
    expect(rows[0]).toMatchObject({ layers, protocol, ports, bytes: hex(packet).length - 14, outer: null });
  });

  it('an ICMP error belongs to its own sender and receiver', () => {
    const { rows } = decodeFrames([
      hex(over4(1, `0303 0000 00000000 ${INNER}`)),
      hex(over6(58, `0104 0000 00000000 ${INNER6}`)),
    ]);
    expect(rows.map((row) => [row.src, row.protocol, row.icmp, row.ports])).toEqual([
      ['192.0.2.1', 1, '3/3', null],
      ['2001:db8::1', 58, '1/4', null],
    ]);
    for (const row of rows) expect(row.meta & (R.IS_ICMP_ERROR | R.IS_ANSWER)).toBe(R.IS_ICMP_ERROR | R.IS_ANSWER);
  });

  it('ICMP echo: type, code, identifier, and which one answers', () => {
    const { rows } = decodeFrames([hex(over4(1, '0800 0000 beef 0001')), hex(over4(1, '0000 0000 beef 0001'))]);
    expect(rows.map((row) => [row.icmp, row.identifier, (row.meta & R.IS_ANSWER) !== 0])).toEqual([
      ['8/0', 0xbeef, false],
      ['0/0', 0xbeef, true],
    ]);
  });

  it('UDP from a service port to a port that is none is an answer', () => {
    const pairs: [number, number, boolean][] = [
      [123, 40000, true],
      [40000, 123, false],
      [123, 123, false],
      [1900, 40000, true],
      [11211, 53, false],
      [0, 40000, false],
      [40000, 40001, false],
    ];
    const { rows } = decodeFrames(pairs.map(([a, b]) => hex(overUdp(a, b, '00'))));
    expect(rows.map((row) => (row.meta & R.IS_ANSWER) !== 0)).toEqual(pairs.map(([, , answer]) => answer));
  });

  it('knows payload by the IP length, not by what was captured', () => {
    const ack = (payload: string): string => over4(6, `04d20050 00000001 00000000 5010ffff 00000000 ${payload}`);
    const { rows } = decodeFrames([
      hex(`${ack('')} 000000000000`),
      { bytes: hex(ack('00'.repeat(100))).subarray(0, 54), wireLength: 154 },
      hex(overUdp(1, 2, '')),
      hex(overUdp(1, 2, '00')),
    ]);
    expect(rows.map((row) => (row.meta & R.HAS_PAYLOAD) !== 0)).toEqual([false, true, false, true]);
  });

  it('gives what a short capture still shows of the transport header', () => {
    const whole = hex(eth(0x0800, INNER));
    const cuts = [33, 34, 38, 47, 48].map((length) => ({ bytes: whole.subarray(0, length), wireLength: 54 }));
    const { rows, causes } = decodeFrames(cuts);
    expect(rows.map((row) => [row.protocol, row.ports, row.flags, row.bytes])).toEqual([
      [null, null, 0, 0],
      [6, null, 0, 40],
      [6, '1234>80', 0, 40],
      [6, '1234>80', 0, 40],
      [6, '1234>80', 2, 40],
    ]);
    expect(causes).toEqual({ snaplen: 4 });
  });

  it('counts wrong lengths by their cause', () => {
    const wrong = {
      ip_version: eth(0x0800, `75${INNER.slice(2)}`),
      ip_header_length: eth(0x0800, `44${INNER.slice(2)}`),
      ip_length: eth(0x0800, `4500 0013 ${INNER.slice(10)}`),
      ip_length_exceeds_frame: eth(0x0800, `4500 0040 ${INNER.slice(10)}`),
      tcp_header_length: over4(6, '04d20050 00000001 00000000 4002ffff 00000000'),
      udp_length: over4(17, '04d20050 0020 0000'),
      short: over4(6, '04d20050'),
      link_header: `020000000002020000000001 05dd ${'00'.repeat(40)}`,
      tunnel_header: overGre('0002 0800', INNER),
    };
    for (const [cause, packet] of Object.entries(wrong)) {
      expect(decodeFrames([hex(packet)]).causes, cause).toEqual({ [cause]: 1 });
    }
  });

  it('takes the length of a jumbogram from its option', () => {
    const packet = eth(0x86dd, ip6(0, `0600 c204 00011170 ${SYN}`)).replace(h(sizeOf(SYN) + 8), '0000');
    const { rows } = decodeFrames([{ bytes: hex(packet), wireLength: 14 + 40 + 70000 }]);
    expect(rows[0]).toMatchObject({ bytes: 40 + 70000, ports: '1234>80', protocol: 6 });
  });

  it('bounds extension headers and tunnels', () => {
    const chain = over6(0, `${'0000010400000000'.repeat(40)}`);
    let nested = INNER;
    for (let i = 0; i < 12; i++) nested = ip4(4, nested);
    const { rows, causes } = decodeFrames([hex(chain), hex(eth(0x0800, nested))]);
    expect(rows[0]).toMatchObject({ protocol: 0, ports: null });
    expect(rows[1].layers).toBe(`eth${' ipv4'.repeat(9)}`);
    expect(causes).toEqual({ extension_headers: 1, tunnel_depth: 1 });
  });

  it('stays outside of tunnels when told so', () => {
    const packets = [
      overGre('0000 0800', INNER),
      overUdp(5000, 4789, `0800000000007b00 ${eth(0x0800, INNER)}`),
      over4(4, INNER),
    ];
    const { rows } = decodeFrames(packets.map(hex), { tunnels: false });
    expect(rows.map((row) => [row.src, row.protocol, row.layers, row.outer])).toEqual([
      ['192.0.2.1', 47, 'eth ipv4 gre', null],
      ['192.0.2.1', 17, 'eth ipv4 udp', null],
      ['192.0.2.1', 4, 'eth ipv4', null],
    ]);
  });
});
