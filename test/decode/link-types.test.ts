import { describe, it } from 'vitest';
import { A, B, C, D, FRAME, h, INNER, INNER6, snap } from './packets.ts';
import { expectStack, type Stack } from './stacks.ts';

/**
 * Link types other than Ethernet.
 * Each was read by tshark 4.0 too, which found the same innermost addresses and ports (it has no LINKTYPE_PPP_PPPD, _MPLS, _SLIP, _C_HDLC_WITH_DIR and _FRELAY_WITH_DIR).
 */
const STACKS: Stack[] = [
  ['ppp', 9, `ff03 0021 ${INNER}`, 'ppp ipv4 tcp'],
  ['ppp no acfc', 9, `0021 ${INNER}`, 'ppp ipv4 tcp'],
  ['ppp pfc', 9, `21 ${INNER}`, 'ppp ipv4 tcp'],
  ['ppp hdlc', 50, `ff03 0021 ${INNER}`, 'ppp ipv4 tcp'],
  ['ppp serial cisco', 50, `0f00 0800 ${INNER}`, 'chdlc ipv4 tcp'],
  ['ppp ether', 51, `1100 0001 ${h(42)} 0021 ${INNER}`, 'pppoe ppp ipv4 tcp'],
  ['ppp dir', 204, `01 ff03 0021 ${INNER}`, 'ppp ipv4 tcp'],
  ['pppd', 166, `0003 0021 ${INNER}`, 'ppp ipv4 tcp'],
  ['chdlc', 104, `0f00 0800 ${INNER}`, 'chdlc ipv4 tcp'],
  ['frelay nlpid', 107, `1841 03 cc ${INNER}`, 'fr ipv4 tcp'],
  ['frelay nlpid6', 107, `1841 03 8e ${INNER6}`, 'fr ipv6 tcp'],
  ['frelay snap', 107, `1841 03 00 80 000000 0800 ${INNER}`, 'fr ipv4 tcp'],
  ['frelay bridged', 107, `1841 03 00 80 0080c2 0007 ${FRAME}`, 'fr eth ipv4 tcp'],
  ['frelay cisco', 107, `1841 0800 ${INNER}`, 'fr ipv4 tcp'],
  ['sll', 113, `0000 0001 0006 020000000001 0000 0800 ${INNER}`, 'sll ipv4 tcp'],
  ['sll vlan', 113, `0000 0001 0006 020000000001 0000 8100 0007 0800 ${INNER}`, 'sll vlan:7 ipv4 tcp'],
  ['sll llc', 113, `0000 0001 0006 020000000001 0000 0004 ${snap(0x0800, INNER)}`, 'sll llc snap ipv4 tcp'],
  ['sll gre', 113, `0000 030a 0004 c0000201 0000 0000 0800 ${INNER}`, 'sll ipv4 tcp'],
  ['sll2', 276, `0800 0000 00000001 0001 00 06 020000000001 0000 ${INNER}`, 'sll2 ipv4 tcp'],
  ['null le', 0, `02000000 ${INNER}`, 'null ipv4 tcp'],
  ['null be', 0, `00000002 ${INNER}`, 'null ipv4 tcp'],
  ['null6 le', 0, `1e000000 ${INNER6}`, 'null ipv6 tcp'],
  ['loop', 108, `00000002 ${INNER}`, 'null ipv4 tcp'],
  ['loop6', 108, `00000018 ${INNER6}`, 'null ipv6 tcp'],
  ['raw', 101, INNER, 'ipv4 tcp'],
  ['raw6', 101, INNER6, 'ipv6 tcp'],
  ['raw4', 228, INNER, 'ipv4 tcp'],
  ['ipv6', 229, INNER6, 'ipv6 tcp'],
  ['nflog', 239, `0200 0000 0500 0a00 00 000000 2c00 0900 ${INNER}`, 'nflog ipv4 tcp'],
  ['wlan toDS', 105, `0801 0000 ${A}${B}${C} 0000 ${snap(0x0800, INNER)}`, 'wlan llc snap ipv4 tcp'],
  ['wlan fromDS', 105, `0802 0000 ${A}${B}${C} 0000 ${snap(0x0800, INNER)}`, 'wlan llc snap ipv4 tcp'],
  ['wlan qos', 105, `8801 0000 ${A}${B}${C} 0000 0000 ${snap(0x0800, INNER)}`, 'wlan llc snap ipv4 tcp'],
  ['wlan wds', 105, `0803 0000 ${A}${B}${C} 0000 ${D} ${snap(0x0800, INNER)}`, 'wlan llc snap ipv4 tcp'],
  ['wlan qos ht', 105, `8881 0000 ${A}${B}${C} 0000 0000 00000000 ${snap(0x0800, INNER)}`, 'wlan llc snap ipv4 tcp'],
  [
    'wlan amsdu',
    105,
    `8801 0000 ${A}${B}${C} 0000 8000 ${A}${B} ${h(8 + 40)} ${snap(0x0800, INNER)}`,
    'wlan llc snap ipv4 tcp',
  ],
  [
    'radiotap',
    127,
    `0000 0800 00000000 0801 0000 ${A}${B}${C} 0000 ${snap(0x0800, INNER)}`,
    'radiotap wlan llc snap ipv4 tcp',
  ],
  [
    'radiotap tsft flags fcs',
    127,
    `0000 1100 03000000 0000000000000000 10 0801 0000 ${A}${B}${C} 0000 ${snap(0x0800, INNER)} 00000000`,
    'radiotap wlan llc snap ipv4 tcp',
  ],
  [
    'radiotap pad',
    127,
    `0000 0900 02000000 20 8801 0000 ${A}${B}${C} 0000 0000 0000 ${snap(0x0800, INNER)}`,
    'radiotap wlan llc snap ipv4 tcp',
  ],
  ['ppi', 192, `0000 0800 69000000 0801 0000 ${A}${B}${C} 0000 ${snap(0x0800, INNER)}`, 'ppi wlan llc snap ipv4 tcp'],
  [
    'avs',
    163,
    `80211001 00000040 ${'00'.repeat(56)} 0801 0000 ${A}${B}${C} 0000 ${snap(0x0800, INNER)}`,
    'avs wlan llc snap ipv4 tcp',
  ],
  [
    'prism',
    119,
    `44000000 90000000 ${'00'.repeat(136)} 0801 0000 ${A}${B}${C} 0000 ${snap(0x0800, INNER)}`,
    'prism wlan llc snap ipv4 tcp',
  ],
  ['slip', 8, `00 40 ${'00'.repeat(14)} ${INNER}`, 'slip ipv4 tcp'],
  ['fddi', 10, `50 ${A}${B} ${snap(0x0800, INNER)}`, 'fddi llc snap ipv4 tcp'],
  ['tr', 6, `1040 ${A} 020000000001 ${snap(0x0800, INNER)}`, 'tr llc snap ipv4 tcp'],
  ['tr rif', 6, `1040 ${A} 820000000001 0690 00100020 ${snap(0x0800, INNER)}`, 'tr llc snap ipv4 tcp'],
  ['1394', 138, `0000000000000001 0000000000000002 0800 ${INNER}`, 'ieee1394 ipv4 tcp'],
  ['arcnet', 7, `01 02 d4 00 0001 ${INNER}`, 'arcnet ipv4 tcp'],
  ['arcnet linux', 129, `01 02 0000 d4 00 0001 ${INNER}`, 'arcnet ipv4 tcp'],
  ['sunatm llc', 123, `02 00 0064 ${snap(0x0800, INNER)}`, 'atm llc snap ipv4 tcp'],
  ['sunatm lane', 123, `01 00 0064 0001 ${FRAME}`, 'atm eth ipv4 tcp'],
  ['atm clip', 106, `${snap(0x0800, INNER)}`, 'atm llc snap ipv4 tcp'],
  ['atm clip raw', 106, INNER, 'atm ipv4 tcp'],
  ['rfc1483', 100, snap(0x0800, INNER), 'atm llc snap ipv4 tcp'],
  ['mpls lt', 219, `00011140 ${INNER}`, 'mpls ipv4 tcp'],
  ['juniper ether', 178, `4d4743 00 ${FRAME}`, 'juniper eth ipv4 tcp'],
  ['juniper ether ext', 178, `4d4743 80 0006 010203040506 ${FRAME}`, 'juniper eth ipv4 tcp'],
  ['enc', 109, `02000000 00001234 00000001 ${INNER}`, 'enc ipv4 tcp'],
  ['tzsp', 128, `0100 0001 01 ${FRAME}`, 'tzsp eth ipv4 tcp'],
  ['chdlc dir', 205, `01 0f00 0800 ${INNER}`, 'chdlc ipv4 tcp'],
  ['frelay dir', 206, `01 1841 03 cc ${INNER}`, 'fr ipv4 tcp'],
  ['erf eth', 197, `${'00'.repeat(8)} 02 04 0048 0000 0036 0000 ${FRAME}`, 'erf eth ipv4 tcp'],
  ['erf extension', 197, `${'00'.repeat(8)} 82 04 0050 0000 0036 ${'00'.repeat(8)} 0000 ${FRAME}`, 'erf eth ipv4 tcp'],
  ['erf pos', 197, `${'00'.repeat(8)} 01 04 003c 0000 002c ff03 0021 ${INNER}`, 'erf ppp ipv4 tcp'],
  ['erf ip', 197, `${'00'.repeat(8)} 16 04 0038 0000 0028 ${INNER}`, 'erf ipv4 tcp'],
  ['pflog', 117, `3d02 0000 ${'00'.repeat(57)} 000000 ${INNER}`, 'pflog ipv4 tcp'],
  ['ipnet', 226, `01 02 0000 00000028 ${'00'.repeat(16)} ${INNER}`, 'ipnet ipv4 tcp'],
  ['ipoib', 242, `${'00'.repeat(40)} 0800 0000 ${INNER}`, 'ipoib ipv4 tcp'],
];

describe('link types', () => {
  it.each(STACKS)('%s', (...stack) => {
    expectStack(stack);
  });
});
