import { FIELDS, PROTOCOLS } from '../model/field.ts';
import type { Atom } from './ast.ts';

/** What the words at the head of a condition stand for. */
export interface Selector {
  /** The fields it looks at; more than one: any of them. */
  fields: string[];
  /** How many words belong to it; the rest are its operand. */
  words: number;
}

const SIDES = ['src', 'dst'] as const;

/** Words people type -> the ending of the field, for fields that both sides have. */
const SIDED: Record<string, string> = {
  ip: 'ip',
  net: 'ip',
  host: 'ip',
  addr: 'ip',
  port: 'port',
  mac: 'mac',
  ether: 'mac',
  as: 'as',
};

const SELECTORS = buildSelectors();

/** Every phrase, blanks between words: `src port`, `src.port`, `icmp type`, `outer dst ip`. */
function buildSelectors(): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const name of Object.keys(FIELDS)) {
    table.set(name, [name]);
    table.set(name.replaceAll('.', ' '), [name]);
  }
  for (const [word, ending] of Object.entries(SIDED)) {
    for (const side of SIDES) table.set(`${side} ${word}`, [`${side}.${ending}`]);
    table.set(
      word,
      SIDES.map((side) => `${side}.${ending}`),
    );
  }
  for (const word of ['ip', 'net', 'host']) {
    for (const layer of ['inner', 'outer']) {
      for (const side of SIDES) table.set(`${layer} ${side} ${word}`, [`${layer}.${side}.ip`]);
      table.set(
        `${layer} ${word}`,
        SIDES.map((side) => `${layer}.${side}.ip`),
      );
    }
  }
  for (const side of SIDES) table.set(side, [`${side}.ip`]);
  table.set('sni', ['tls.sni']);
  return table;
}

const MAX_WORDS = 3;

/** The longest phrase of `SELECTORS` that the words begin with. */
export function findSelector(words: Atom[]): Selector | null {
  for (let count = Math.min(MAX_WORDS, words.length); count > 0; count--) {
    const phrase = words
      .slice(0, count)
      .map((word) => word.text)
      .join(' ');
    const fields = SELECTORS.get(phrase);
    if (fields) return { fields, words: count };
  }
  return null;
}

/** For "did you mean": every phrase and bare word a condition may begin with. */
export function selectorNames(): string[] {
  return [...SELECTORS.keys(), ...Object.keys(BARE), ...Object.keys(PROTOCOLS)];
}

/** ICMP means both versions, as IPv4 and IPv6 are one address type. */
const ICMP = [1, 58];

/** IP protocol numbers of a name or number; null when it is neither. */
export function protocolNumbers(text: string): number[] | null {
  const name = text.toLowerCase();
  if (name === 'icmp') return ICMP;
  if (name === 'icmp4') return [1];
  if (name === 'ipv6-icmp' || name === 'icmpv6') return [58];
  if (Object.hasOwn(PROTOCOLS, name)) return [PROTOCOLS[name]];
  return /^\d{1,3}$/.test(name) && Number(name) <= 255 ? [Number(name)] : null;
}

/** Words that are a condition of their own, beside protocol names and boolean fields. */
export const BARE: Readonly<Record<string, string>> = {
  ip6: 'ipv6',
  response: 'dns_response',
};

const SERVICES: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  dns: 53,
  domain: 53,
  tftp: 69,
  http: 80,
  pop3: 110,
  ntp: 123,
  imap: 143,
  snmp: 161,
  bgp: 179,
  ldap: 389,
  https: 443,
  smb: 445,
  syslog: 514,
  rdp: 3389,
  sip: 5060,
};

/** A port by number or by the name of its service; NaN when it is neither. */
export function portNumber(text: string): number {
  if (Object.hasOwn(SERVICES, text)) return SERVICES[text];
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : Number.NaN;
}

export const SERVICE_NAMES = Object.keys(SERVICES);
