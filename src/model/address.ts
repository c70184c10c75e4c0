import { isIPv4, isIPv6 } from 'node:net';

/**
 * IPv4 and IPv6 are one address type: four 32-bit words in network order, kept in `Int32Array`s.
 * IPv4 is `::ffff:a.b.c.d` (RFC 4291, section 2.5.5.2), so word 3 holds it whole.
 */
export const IPV4_WORD_2 = 0x0000ffff;

/** True when the four words at `at` are an IPv4 address. */
export function isMapped(words: Int32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === IPV4_WORD_2;
}

/** Text of the address at `at`: dotted for IPv4, RFC 5952 for IPv6. */
export function formatAddress(words: Int32Array, at = 0): string {
  if (isMapped(words, at)) return formatIPv4(words[at + 3]);
  const groups: number[] = [];
  for (let i = 0; i < 4; i++) groups.push(words[at + i] >>> 16, words[at + i] & 0xffff);
  const { start, length } = longestZeroRun(groups);
  const text = groups.map((group) => group.toString(16));
  if (length < 2) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + length).join(':')}`;
}

function formatIPv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    if (end > i) i = end;
  }
  return best;
}

/** Reads an address into `words` at `at`; false (nothing written) when the text is no address. */
export function parseAddress(text: string, words: Int32Array, at = 0): boolean {
  if (isIPv4(text)) {
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = IPV4_WORD_2;
    words[at + 3] = ipv4Word(text);
    return true;
  }
  if (!isIPv6(text) || text.includes('%')) return false;
  const groups = expandIPv6(text);
  for (let i = 0; i < 4; i++) words[at + i] = (groups[2 * i] << 16) | groups[2 * i + 1];
  return true;
}

function ipv4Word(text: string): number {
  return text.split('.').reduce((word, part) => (word << 8) | Number(part), 0);
}

function expandIPv6(text: string): number[] {
  const dotted = text.lastIndexOf(':') < text.indexOf('.') ? text.slice(text.lastIndexOf(':') + 1) : '';
  const word = dotted === '' ? 0 : ipv4Word(dotted);
  const hex =
    dotted === ''
      ? text
      : `${text.slice(0, -dotted.length)}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
  const [left, right] = hex.split('::');
  const head = left === '' ? [] : left.split(':').map((group) => Number.parseInt(group, 16));
  if (right === undefined) return head;
  const tail = right === '' ? [] : right.split(':').map((group) => Number.parseInt(group, 16));
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** A network: `bits` counts from the 128-bit form, so `192.0.2.0/24` has 120. Plain data, serialisable. */
export interface Prefix {
  words: [number, number, number, number];
  bits: number;
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address; null when it is none. Host bits are cleared. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const words = new Int32Array(4);
  if (!parseAddress(address, words)) return null;
  const width = isIPv4(address) ? 32 : 128;
  const length = slash < 0 ? width : /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : -1;
  if (length < 0 || length > width) return null;
  const bits = length + 128 - width;
  maskAddress(words, 0, bits);
  return { words: [words[0], words[1], words[2], words[3]], bits };
}

export function formatPrefix(prefix: Prefix): string {
  const words = Int32Array.from(prefix.words);
  const bits = isMapped(words, 0) && prefix.bits >= 96 ? prefix.bits - 96 : prefix.bits;
  return `${formatAddress(words)}/${bits}`;
}

/** The mask of one 32-bit word under a prefix of `bits` of 128. */
export function maskWord(bits: number, word: number): number {
  const within = bits - 32 * word;
  if (within <= 0) return 0;
  return within >= 32 ? -1 : -1 << (32 - within);
}

/** Clears the host bits of the address at `at`. */
export function maskAddress(words: Int32Array, at: number, bits: number): void {
  for (let i = 0; i < 4; i++) words[at + i] &= maskWord(bits, i);
}

/** True when the address at `at` lies in the prefix. */
export function inPrefix(prefix: Prefix, words: Int32Array, at: number): boolean {
  for (let i = 0; i < 4; i++) {
    if (((words[at + i] ^ prefix.words[i]) & maskWord(prefix.bits, i)) !== 0) return false;
  }
  return true;
}

/** Orders two addresses by their unsigned words. */
export function compareAddresses(a: Int32Array, at: number, b: Int32Array, bt: number): number {
  for (let i = 0; i < 4; i++) {
    if (a[at + i] !== b[bt + i]) return a[at + i] >>> 0 < b[bt + i] >>> 0 ? -1 : 1;
  }
  return 0;
}

/** Private, shared, link-local and documentation networks: what is "home" when nobody said otherwise. */
export const DEFAULT_HOME = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  'fc00::/7',
  'fe80::/10',
  '2001:db8::/32',
  '3fff::/20',
];
