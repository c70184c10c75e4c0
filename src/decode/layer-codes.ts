/**
 * The headers a stack can have, as small integers, with the text that `Names.layers` shows. A VLAN tag has a code of
 * its own for each id, so that the stack tells them apart.
 */
const TEXTS = [
  '',
  'eth',
  'vlan',
  'llc',
  'snap',
  'ipv4',
  'ipv6',
  'tcp',
  'udp',
  'icmp',
  'icmp6',
  'arp',
  'sctp',
  'dccp',
  'udplite',
  'igmp',
  'gre',
  'esp',
  'ah',
  'mpls',
  'pppoe',
  'ppp',
  'chdlc',
  'fr',
  'sll',
  'sll2',
  'null',
  'nflog',
  'radiotap',
  'wlan',
  'ppi',
  'prism',
  'avs',
  'slip',
  'fddi',
  'tr',
  'ieee1394',
  'arcnet',
  'dsa',
  'brcm',
  'pbb',
  'cfp',
  'sunatm',
  'juniper',
  'erspan',
  'vxlan',
  'geneve',
  'gtp',
  'l2tp',
  'teredo',
  'capwap',
  'nsh',
  'etherip',
  'pw',
  'pktap',
  'ipnet',
  'ipoib',
  'isl',
  'gue',
  'tzsp',
  'atm',
  'pflog',
  'trill',
  'macsec',
  'lldp',
  'eapol',
  'stp',
  'lisp',
  'ayiya',
  'enc',
  'erf',
  'fou',
] as const;

export type LayerName = (typeof TEXTS)[number];

/** The code of a header. */
export function layerCode(name: LayerName): number {
  return TEXTS.indexOf(name);
}

/** Codes from here on are VLAN tags: `VLAN_CODE + id`. */
export const VLAN_CODE = 4096;
/** All codes are below this. */
export const CODES = 8192;

/** A VLAN tag whose id is left out: for when too many stacks are known. */
export const ANY_VLAN = layerCode('vlan');

/** The text of one code. */
export function layerText(code: number): string {
  return code >= VLAN_CODE ? `vlan:${code - VLAN_CODE}` : TEXTS[code];
}
