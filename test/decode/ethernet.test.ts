import { describe, it } from 'vitest';
import { eth, FRAME, h, INNER, INNER6, MACS, sizeOf, snap } from './packets.ts';
import { expectStack, type Stack } from './stacks.ts';

/**
 * What an Ethernet frame may carry on its way to one IP header.
 * Each was read by tshark 4.0 too, which found the same innermost addresses and ports.
 */
const STACKS: Stack[] = [
  ['ethernet tcp', 1, FRAME, 'eth ipv4 tcp'],
  ['8023 snap', 1, `${MACS} ${h(8 + 40)} ${snap(0x0800, INNER)}`, 'eth llc snap ipv4 tcp'],
  ['8023 llc ip', 1, `${MACS} ${h(3 + 40)} 060603 ${INNER}`, 'eth llc ipv4 tcp'],
  ['qinq 9100', 1, `${MACS} 9100 0005 8100 0006 0800 ${INNER}`, 'eth vlan:5 vlan:6 ipv4 tcp'],
  ['vlan llc', 1, `${MACS} 8100 0006 ${h(48)} ${snap(0x0800, INNER)}`, 'eth vlan:6 llc snap ipv4 tcp'],
  ['mpls2', 1, eth(0x8847, `00010040 00011140 ${INNER}`), 'eth mpls ipv4 tcp'],
  ['mpls ipv6', 1, eth(0x8847, `00011140 ${INNER6}`), 'eth mpls ipv6 tcp'],
  ['mpls pw cw', 1, eth(0x8847, `00011140 00000000 ${FRAME}`), 'eth mpls pw eth ipv4 tcp'],
  ['mpls pw nocw', 1, eth(0x8847, `00011140 ${FRAME}`), 'eth mpls pw eth ipv4 tcp'],
  ['pppoe', 1, eth(0x8864, `1100 0001 ${h(42)} 0021 ${INNER}`), 'eth pppoe ppp ipv4 tcp'],
  ['pppoe6', 1, eth(0x8864, `1100 0001 ${h(62)} 0057 ${INNER6}`), 'eth pppoe ppp ipv6 tcp'],
  ['pbb', 1, eth(0x88e7, `00000123 ${FRAME}`), 'eth pbb eth ipv4 tcp'],
  ['nsh', 1, eth(0x894f, `0fc60103 000001ff ${'00'.repeat(16)} ${FRAME}`), 'eth nsh eth ipv4 tcp'],
  ['trill', 1, eth(0x22f3, `003f 0001 0002 ${FRAME}`), 'eth trill eth ipv4 tcp'],
  ['fabricpath', 1, `020000000002 020000000001 8903 0041 ${FRAME}`, 'eth cfp eth ipv4 tcp'],
  ['vntag', 1, eth(0x8926, `00000000 0800 ${INNER}`), 'eth ipv4 tcp'],
  ['etag', 1, eth(0x893f, `000000000000 0800 ${INNER}`), 'eth ipv4 tcp'],
  ['cmd', 1, eth(0x8909, `0101 0001 0005 0800 ${INNER}`), 'eth ipv4 tcp'],
  ['hsr', 1, eth(0x892f, `002e 0001 0800 ${INNER}`), 'eth ipv4 tcp'],
  ['macsec', 1, eth(0x88e5, `00000000 0001 0800 ${INNER} ${'00'.repeat(16)}`), 'eth macsec ipv4 tcp'],
  [
    'isl',
    1,
    `01000c000000 020000000001 ${h(sizeOf(FRAME) + 12 + 4)} aaaa03 000000 000e 0000 0000 ${FRAME} 00000000`,
    'isl vlan:7 eth ipv4 tcp',
  ],
];

describe('headers in Ethernet', () => {
  it.each(STACKS)('%s', (...stack) => {
    expectStack(stack);
  });
});
