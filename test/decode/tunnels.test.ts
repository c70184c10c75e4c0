import { describe, expect, it } from 'vitest';
import { decodeFrames, hex } from './frames.ts';
import { A, B, C, eth, FRAME, h, INNER, INNER6, ip4, ip6, MACS, overGre, overUdp, snap } from './packets.ts';
import { expectStack, type Stack } from './stacks.ts';

/**
 * Tunnels over IP.
 * Each was read by tshark 4.0 too, which found the same innermost addresses and ports (it leaves GUE, L2TPv3 and port 8472 closed).
 */
const STACKS: Stack[] = [
  ['gre4', 1, overGre('0000 0800', `${INNER}`), 'eth ipv4 gre ipv4 tcp'],
  ['gre key csum seq', 1, overGre('b000 0800', `00000000 00000001 00000002 ${INNER}`), 'eth ipv4 gre ipv4 tcp'],
  ['gre teb', 1, overGre('2000 6558', `00000100 ${FRAME}`), 'eth ipv4 gre eth ipv4 tcp'],
  [
    'gre teb vlan',
    1,
    overGre('2000 6558', `00000100 ${MACS} 8100 0009 0800 ${INNER}`),
    'eth ipv4 gre eth vlan:9 ipv4 tcp',
  ],
  ['gre pptp', 1, overGre('3001 880b', `${h(44)} 0001 00000001 ff03 0021 ${INNER}`), 'eth ipv4 gre ppp ipv4 tcp'],
  [
    'gre pptp ack',
    1,
    overGre('3081 880b', `${h(42)} 0001 00000001 00000001 0021 ${INNER}`),
    'eth ipv4 gre ppp ipv4 tcp',
  ],
  ['gre mpls', 1, overGre('0000 8847', `00011140 ${INNER}`), 'eth ipv4 gre mpls ipv4 tcp'],
  ['gre ipv6', 1, overGre('0000 86dd', `${INNER6}`), 'eth ipv4 gre ipv6 tcp'],
  ['wccp2', 1, overGre('0000 883e', `00010203 ${INNER}`), 'eth ipv4 gre ipv4 tcp'],
  ['erspan1', 1, overGre('0000 88be', `${FRAME}`), 'eth ipv4 gre eth ipv4 tcp'],
  [
    'erspan2',
    1,
    overGre('1000 88be', `00000001 10170000 00000000 ${FRAME}`),
    'eth ipv4 gre erspan vlan:23 eth ipv4 tcp',
  ],
  [
    'erspan3',
    1,
    overGre('1000 22eb', `00000001 20170000 00000000 00000000 ${FRAME}`),
    'eth ipv4 gre erspan vlan:23 eth ipv4 tcp',
  ],
  [
    'erspan3 O',
    1,
    overGre('1000 22eb', `00000001 20170000 00000000 00000001 0000000000000000 ${FRAME}`),
    'eth ipv4 gre erspan vlan:23 eth ipv4 tcp',
  ],
  ['ipip', 1, eth(0x0800, ip4(4, INNER)), 'eth ipv4 ipv4 tcp'],
  ['6in4', 1, eth(0x0800, ip4(41, INNER6)), 'eth ipv4 ipv6 tcp'],
  ['4in6', 1, eth(0x86dd, ip6(4, INNER)), 'eth ipv6 ipv4 tcp'],
  ['6in6', 1, eth(0x86dd, ip6(41, INNER6)), 'eth ipv6 ipv6 tcp'],
  ['vxlan', 1, overUdp(5000, 4789, `08000000 00007b00 ${FRAME}`), 'eth ipv4 udp vxlan eth ipv4 tcp'],
  ['vxlan gbp', 1, overUdp(5000, 4789, `88000010 00007b00 ${FRAME}`), 'eth ipv4 udp vxlan eth ipv4 tcp'],
  ['vxlan 8472', 1, overUdp(5000, 8472, `08000000 00007b00 ${FRAME}`), 'eth ipv4 udp vxlan eth ipv4 tcp'],
  ['vxlan gpe ip', 1, overUdp(5000, 4790, `0c000001 00007b00 ${INNER}`), 'eth ipv4 udp vxlan ipv4 tcp'],
  ['vxlan gpe eth', 1, overUdp(5000, 4790, `0c000003 00007b00 ${FRAME}`), 'eth ipv4 udp vxlan eth ipv4 tcp'],
  [
    'vxlan gpe nsh',
    1,
    overUdp(5000, 4790, `0c000004 00007b00 0fc60103 000001ff ${'00'.repeat(16)} ${FRAME}`),
    'eth ipv4 udp vxlan nsh eth ipv4 tcp',
  ],
  ['geneve', 1, overUdp(5000, 6081, `0100 6558 00007b00 00000000 ${FRAME}`), 'eth ipv4 udp geneve eth ipv4 tcp'],
  ['geneve ip', 1, overUdp(5000, 6081, `0000 0800 00007b00 ${INNER}`), 'eth ipv4 udp geneve ipv4 tcp'],
  ['gtp', 1, overUdp(2152, 2152, `30ff ${h(40)} 00000001 ${INNER}`), 'eth ipv4 udp gtp ipv4 tcp'],
  ['gtp seq', 1, overUdp(2152, 2152, `32ff ${h(44)} 00000001 00010000 ${INNER}`), 'eth ipv4 udp gtp ipv4 tcp'],
  ['gtp ext', 1, overUdp(2152, 2152, `34ff ${h(48)} 00000001 00000085 01100100 ${INNER}`), 'eth ipv4 udp gtp ipv4 tcp'],
  ['gtp src only', 1, overUdp(2152, 9000, `30ff ${h(40)} 00000001 ${INNER}`), 'eth ipv4 udp gtp ipv4 tcp'],
  ['l2tp', 1, overUdp(1701, 1701, `0002 0001 0002 ff03 0021 ${INNER}`), 'eth ipv4 udp l2tp ppp ipv4 tcp'],
  [
    'l2tp len seq',
    1,
    overUdp(1701, 1701, `4802 ${h(12 + 2 + 40)} 0001 0002 0001 0001 0021 ${INNER}`),
    'eth ipv4 udp l2tp ppp ipv4 tcp',
  ],
  ['l2tp offset', 1, overUdp(1701, 1701, `0202 0001 0002 0002 0000 0021 ${INNER}`), 'eth ipv4 udp l2tp ppp ipv4 tcp'],
  ['l2tpv3 udp', 1, overUdp(1701, 1701, `0003 0000 00000001 ${FRAME}`), 'eth ipv4 udp l2tp eth ipv4 tcp'],
  ['l2tpv3 ip', 1, eth(0x0800, ip4(115, `00000001 ${FRAME}`)), 'eth ipv4 l2tp eth ipv4 tcp'],
  ['l2tpv3 ip cookie', 1, eth(0x0800, ip4(115, `00000001 11223344 ${FRAME}`)), 'eth ipv4 l2tp eth ipv4 tcp'],
  ['teredo', 1, overUdp(3544, 5000, INNER6), 'eth ipv4 udp teredo ipv6 tcp'],
  ['teredo origin', 1, overUdp(5000, 3544, `0000 1234 c0000209 ${INNER6}`), 'eth ipv4 udp teredo ipv6 tcp'],
  ['teredo auth', 1, overUdp(5000, 3544, `0001 0000 0000000000000000 00 ${INNER6}`), 'eth ipv4 udp teredo ipv6 tcp'],
  ['capwap 8023', 1, overUdp(5247, 5000, `00100000 00000000 ${FRAME}`), 'eth ipv4 udp capwap eth ipv4 tcp'],
  [
    'capwap wlan',
    1,
    overUdp(5000, 5247, `00100300 00000000 0108 0000 ${A}${B}${C} 0000 ${snap(0x0800, INNER)}`),
    'eth ipv4 udp capwap wlan llc snap ipv4 tcp',
  ],
  ['mpls udp', 1, overUdp(5000, 6635, `00011140 ${INNER}`), 'eth ipv4 udp mpls ipv4 tcp'],
  ['gue ipip', 1, overUdp(5000, 6080, `00040000 ${INNER}`), 'eth ipv4 udp gue ipv4 tcp'],
  ['gue direct', 1, overUdp(5000, 6080, `${INNER}`), 'eth ipv4 udp gue ipv4 tcp'],
  ['fou', 1, overUdp(5000, 5555, `${INNER}`), 'eth ipv4 udp fou ipv4 tcp'],
  ['fou ipv6', 1, overUdp(5000, 5555, `${INNER6}`), 'eth ipv4 udp fou ipv6 tcp'],
  ['tzsp', 1, overUdp(5000, 37008, `0100 0001 00 0a0101 01 ${FRAME}`), 'eth ipv4 udp tzsp eth ipv4 tcp'],
  ['gre in udp', 1, overUdp(50000, 4754, `2000 0800 00000007 ${INNER}`), 'eth ipv4 udp gre ipv4 tcp'],
  ['lisp', 1, overUdp(50000, 4341, `c0000001 00000001 ${INNER}`), 'eth ipv4 udp lisp ipv4 tcp'],
  [
    'ayiya',
    1,
    overUdp(50000, 5072, `41 52 11 29 00000000 ${'00'.repeat(36)} ${INNER6}`),
    'eth ipv4 udp ayiya ipv6 tcp',
  ],
  ['etherip', 1, eth(0x0800, ip4(97, `3000 ${FRAME}`)), 'eth ipv4 etherip eth ipv4 tcp'],
  ['srv6 eth', 1, eth(0x86dd, ip6(143, FRAME)), 'eth ipv6 eth ipv4 tcp'],
  ['mpls in ip', 1, eth(0x0800, ip4(137, `00011140 ${INNER}`)), 'eth ipv4 mpls ipv4 tcp'],
];

describe('tunnels', () => {
  it.each(STACKS)('%s', (...stack) => {
    const { layers, outer } = expectStack(stack);
    expect(outer).toBe(layers.startsWith('eth ipv6') ? '2001:db8::1>2001:db8::2' : '192.0.2.1>192.0.2.2');
  });
});

describe('what only looks like a tunnel', () => {
  const NOISE = '5b3c 8180 0001 0001 0000 0000 0377 7777 0765 7861 6d70 6c65 0363 6f6d 00 0001 0001'.repeat(2);
  const ports = [4789, 4790, 6081, 8472, 6635, 6080, 5555, 37008, 4754, 4341, 2152, 1701, 3544, 5247, 5072];

  it.each(ports)('an answer of DNS to port %i stays what it is', (port) => {
    const { rows } = decodeFrames([hex(overUdp(53, port, NOISE))]);
    expect(rows[0]).toMatchObject({ ports: `53>${port}`, layers: 'eth ipv4 udp', outer: null });
  });

  it('IP in UDP has the length of all that UDP carries', () => {
    const { rows } = decodeFrames([hex(overUdp(5000, 5555, `${INNER} 00`))]);
    expect(rows[0]).toMatchObject({ ports: '5000>5555', layers: 'eth ipv4 udp', outer: null });
  });
});
