import { formatTime } from '../core/time.ts';
import { formatAddress } from '../model/address.ts';
import type { ElementType } from './elements.ts';

/** A field as `--elements` prints it. A number too large for a double is kept digit by digit. */
export type FieldValue = number | string | boolean | object | FieldValue[];

const TEXT = new TextDecoder();
/** Seconds from 1900 (NTP, RFC 5905) to 1970. */
export const NTP_EPOCH = 2_208_988_800;
/** Past this no date has a text. */
const LAST_MS = 8.64e15;
const words = new Int32Array(4);

export function hexOf(data: Uint8Array, at: number, length: number): string {
  return Buffer.from(data.buffer, data.byteOffset + at, length).toString('hex');
}

/** The unsigned number in `length` bytes; past 2^53 it is rounded. */
export function uintAt(data: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + data[at + i];
  return value;
}

/**
 * The value of a field of `length` > 0 bytes at `at`, unscaled: numbers of any length (RFC 7011, section 6.2), ISO times,
 * texts; what does not fit its type is hex.
 */
export function fieldValue(type: ElementType, data: Uint8Array, at: number, length: number): FieldValue {
  switch (type) {
    case 'unsigned8':
    case 'unsigned16':
    case 'unsigned32':
    case 'unsigned64':
    case 'unsigned256':
      return unsigned(data, at, length);
    case 'signed8':
    case 'signed16':
    case 'signed32':
    case 'signed64':
      return signed(data, at, length);
    case 'float32':
    case 'float64':
      return float(data, at, length);
    case 'boolean':
      return boolean(data, at, length);
    case 'string':
      return stringAt(data, at, length);
    case 'macAddress':
      return length === 6 ? macText(data, at) : hexOf(data, at, length);
    case 'ipv4Address':
    case 'ipv6Address':
      return address(data, at, length);
    case 'dateTimeSeconds':
      return isoMs(uintAt(data, at, length) * 1000) ?? unsigned(data, at, length);
    case 'dateTimeMilliseconds':
      return isoMs(uintAt(data, at, length)) ?? unsigned(data, at, length);
    case 'dateTimeMicroseconds':
      return length === 8 ? ntpTime(data, at, 6) : unsigned(data, at, length);
    case 'dateTimeNanoseconds':
      return length === 8 ? ntpTime(data, at, 9) : unsigned(data, at, length);
    default:
      return hexOf(data, at, length);
  }
}

/** A text without the NULs that fill it up. */
export function stringAt(data: Uint8Array, at: number, length: number): string {
  let end = at + length;
  while (end > at && data[end - 1] === 0) end--;
  return TEXT.decode(data.subarray(at, end));
}

export function macText(data: Uint8Array, at: number): string {
  return hexOf(data, at, 6).replace(/..(?!$)/g, '$&:');
}

function unsigned(data: Uint8Array, at: number, length: number): FieldValue {
  if (length > 32) return hexOf(data, at, length);
  const value = uintAt(data, at, length);
  return Number.isSafeInteger(value) ? value : exact(BigInt(`0x${hexOf(data, at, length)}`));
}

function signed(data: Uint8Array, at: number, length: number): FieldValue {
  if (length > 8) return hexOf(data, at, length);
  const value = BigInt.asIntN(8 * length, BigInt(`0x${hexOf(data, at, length)}`));
  return Number.isSafeInteger(Number(value)) ? Number(value) : exact(value);
}

interface RawJson {
  rawJSON(text: string): object;
}

/** JSON knows no limit of digits: the number goes out as it came in. */
function exact(value: bigint): object {
  return (JSON as unknown as RawJson).rawJSON(value.toString());
}

function float(data: Uint8Array, at: number, length: number): FieldValue {
  const view = new DataView(data.buffer, data.byteOffset + at, length);
  const value = length === 4 ? view.getFloat32(0) : length === 8 ? view.getFloat64(0) : Number.NaN;
  return Number.isFinite(value) ? value : hexOf(data, at, length);
}

/** RFC 7011, section 6.1.5: 1 is true, 2 is false. */
function boolean(data: Uint8Array, at: number, length: number): FieldValue {
  const value = uintAt(data, at, length);
  return value === 1 ? true : value === 2 ? false : unsigned(data, at, length);
}

function address(data: Uint8Array, at: number, length: number): string {
  if (length !== 4 && length !== 16) return hexOf(data, at, length);
  if (length === 4) return `${data[at]}.${data[at + 1]}.${data[at + 2]}.${data[at + 3]}`;
  for (let i = 0; i < 4; i++) words[i] = uintAt(data, at + 4 * i, 4);
  const text = formatAddress(words);
  return text.includes('.') ? `::ffff:${text}` : text;
}

function isoMs(ms: number): string | null {
  return ms <= LAST_MS ? new Date(ms).toISOString() : null;
}

/** NTP's 32 bits of seconds and 32 of fraction (RFC 7011, section 6.1.9); below 1970 it is the era after 2036. */
function ntpTime(data: Uint8Array, at: number, digits: 6 | 9): string {
  const since1900 = uintAt(data, at, 4);
  const seconds = since1900 < NTP_EPOCH ? since1900 + 2 ** 32 - NTP_EPOCH : since1900 - NTP_EPOCH;
  const nanos = Math.floor((uintAt(data, at + 4, 4) * 1e9) / 2 ** 32 + 0.5);
  const micros = digits === 6 ? Math.round(nanos / 1000) : Math.floor(nanos / 1000);
  return formatTime(seconds * 1e6 + micros, nanos % 1000, digits);
}
