import { VPC_DEFAULT } from './vpc.ts';

/** The kinds of log that are known by their content. */
export const LOG_KINDS = [
  'zeek',
  'zeek-json',
  'zeek-csv',
  'eve',
  'vpc',
  'gcp',
  'nfdump-csv',
  'nfdump-json',
  'goflow2',
] as const;
export type LogKind = (typeof LOG_KINDS)[number];

/** Bytes of a log's beginning that tell its kind: long first lines and comments before the header fit. */
export const SNIFF_BYTES = 64 << 10;

/** Keys that only one kind of JSON log has. */
const JSON_SIGNS: readonly [RegExp, LogKind][] = [
  [/"event_type"\s*:/, 'eve'],
  [/"id[._](orig|resp)_h"\s*:|"id"\s*:\s*\{[^{}]*"orig_h"/, 'zeek-json'],
  [/"(sampler_address|SamplerAddress|time_received_ns|TimeReceived)"\s*:/, 'goflow2'],
  [/"type"\s*:\s*"(FLOW|EVENT)"/, 'nfdump-json'],
  [/"connection"\s*:\s*\{[^{}]*"(src|dest)_ip"/, 'gcp'],
];

/** What kind of log begins so; null when it is none. `head` is at most the first `SNIFF_BYTES`, decompressed. */
export function logKindOf(head: Uint8Array): LogKind | null {
  const text = Buffer.from(head.subarray(0, SNIFF_BYTES))
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  if (text.slice(0, 1024).includes('\0')) return null;
  const start = text.trimStart();
  if (start[0] === '#') return zeekHeader(start) ? 'zeek' : null;
  if (start[0] === '{' || start[0] === '[') return jsonKind(start);
  return lineKind(start.split(/\r?\n/, 1)[0]);
}

function zeekHeader(text: string): boolean {
  return (
    /^#fields[\t ,;|].*\bid\.orig_h\b/m.test(text) || (/^#separator /m.test(text) && /^#path[\t ,;|]+conn/m.test(text))
  );
}

/** The first object decides; of one that is longer than the head, what there is of it. */
function jsonKind(text: string): LogKind | null {
  const object = text[0] === '[' ? text.slice(1).trimStart() : text;
  if (object[0] !== '{') return null;
  const first = text[0] === '[' ? object.split(/\}\s*,?\s*\n?\s*\{/, 1)[0] : object.split('\n', 1)[0];
  for (const [sign, kind] of JSON_SIGNS) if (sign.test(first)) return kind;
  for (const [sign, kind] of JSON_SIGNS) if (sign.test(object)) return kind;
  return null;
}

function lineKind(line: string): LogKind | null {
  if (isPlainZeek(line)) return 'zeek-csv';
  const commas = line.split(',').map((name) => name.trim());
  if (commas.includes('sa') && commas.includes('da') && commas.includes('ibyt')) return 'nfdump-csv';
  if (commas.includes('srcAddr') && commas.includes('dstAddr')) return 'nfdump-csv';
  const words = line.trim().split(/[ \t]+/);
  if (words.includes('srcaddr') && words.includes('dstaddr')) return 'vpc';
  if (words.includes('pkt-srcaddr') && words.includes('pkt-dstaddr')) return 'vpc';
  return isDefaultVpc(words) ? 'vpc' : null;
}

/** Zeek's names in a line without `#`, or a row of a `conn.log` that has lost its header. */
function isPlainZeek(line: string): boolean {
  const names = line.split(/[\t,|;]/).map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  if (names.some((name) => /^id[._]orig_h$/.test(name)) && names.some((name) => /^id[._]resp_h$/.test(name)))
    return true;
  const row = line.split('\t');
  return row.length >= 20 && /^\d{9,10}\.\d{1,6}$/.test(row[0]) && /^C[0-9A-Za-z]{8,22}$/.test(row[1]);
}

/** A line of the default format: version 2, an account of twelve digits (or unknown), a network interface. */
function isDefaultVpc(words: readonly string[]): boolean {
  return (
    words.length === VPC_DEFAULT.split(' ').length &&
    words[0] === '2' &&
    /^(\d{12}|unknown|-)$/.test(words[1]) &&
    /^[a-z]+-[0-9a-z]+$/.test(words[2])
  );
}
