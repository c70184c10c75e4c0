import { PROTOCOLS } from '../model/field.ts';

/** Other names that logs write, beside those of rules: keywords of the IANA registry of protocol numbers in lower case. */
const ALIASES: Readonly<Record<string, number>> = {
  hopopt: 0,
  ggp: 3,
  ipv4: 4,
  ipencap: 4,
  st: 5,
  cbt: 7,
  pup: 12,
  hmp: 20,
  'xns-idp': 22,
  rdp: 27,
  'iso-tp4': 29,
  'ipv6-route': 43,
  'ipv6-frag': 44,
  bna: 49,
  narp: 54,
  mobile: 55,
  skip: 57,
  icmpv6: 58,
  'ipv6-icmp': 58,
  'icmp-ipv6': 58,
  'ipv6-nonxt': 59,
  'ipv6-no-nxt': 59,
  'ipv6-opts': 60,
  vmtp: 81,
  ospfigp: 89,
  mtp: 92,
  etherip: 97,
  encap: 98,
  ipcomp: 108,
  pgm: 113,
  'isis over ipv4': 124,
  isis: 124,
  fc: 133,
  'rsvp-e2e-ignore': 134,
  'mobility header': 135,
  'mobility-header': 135,
  manet: 138,
  hip: 139,
  shim6: 140,
  wesp: 141,
  rohc: 142,
};

const NUMBERS = new Map([...Object.entries(PROTOCOLS), ...Object.entries(ALIASES)]);

/** The number of a protocol name in any case; -1 when nobody knows it. */
export function protocolNumber(name: string): number {
  return NUMBERS.get(name) ?? NUMBERS.get(name.toLowerCase()) ?? -1;
}
