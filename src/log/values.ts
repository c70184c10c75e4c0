/**
 * Values of logs, read from bytes without making strings. Each function reads `from <= i < to` and answers NaN for what is
 * no such value; it never throws.
 */
const ZERO = 48;
const NINE = 57;
const MINUS = 45;
const SLASH = 47;
const DOT = 46;
const COLON = 58;
const COMMA = 44;
/** Integers of at most this many digits are exact in a double. */
const EXACT_DIGITS = 15;
const MOST_DIGITS = 40;
const DAY_SECONDS = 86_400;

export function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

/** A decimal number; integers of up to 15 digits need no string. */
export function numberOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from <= EXACT_DIGITS) {
    const whole = digits(bytes, from, to);
    if (whole >= 0) return whole;
  }
  return looseNumber(bytes, from, to);
}

/** An unsigned integer of digits only; -1 for anything else. */
export function digits(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > EXACT_DIGITS) return -1;
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = bytes[i] - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function looseNumber(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > MOST_DIGITS) return Number.NaN;
  const first = bytes[from];
  if ((first < ZERO || first > NINE) && first !== MINUS) return Number.NaN;
  return Number(textOf(bytes, from, to));
}

/** Seconds with or without a fraction as whole microseconds, rounded; the fraction keeps its digits. */
export function secondsToUs(bytes: Uint8Array, from: number, to: number): number {
  const dot = bytes.indexOf(DOT, from);
  if (dot < 0 || dot >= to) return numberOf(bytes, from, to) * 1e6;
  const whole = digits(bytes, from, dot);
  if (whole < 0) return Math.round(looseNumber(bytes, from, to) * 1e6);
  const fraction = fractionUs(bytes, dot + 1, to);
  return fraction < 0 ? Math.round(looseNumber(bytes, from, to) * 1e6) : whole * 1e6 + fraction;
}

/** The digits behind a decimal point as microseconds, rounded; -1 when there is anything else. */
function fractionUs(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  const end = Math.min(to, from + 6);
  for (let i = from; i < end; i++) {
    const digit = bytes[i] - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  for (let i = end - from; i < 6; i++) value *= 10;
  for (let i = end; i < to; i++) if (bytes[i] < ZERO || bytes[i] > NINE) return -1;
  return end < to && bytes[end] >= ZERO + 5 ? value + 1 : value;
}

/** `HH:MM:SS.mmm`, `D HH:MM:SS.mmm` or seconds, as microseconds. */
export function durationToUs(bytes: Uint8Array, from: number, to: number): number {
  const colon = bytes.indexOf(COLON, from);
  if (colon < 0 || colon >= to) return secondsToUs(bytes, from, to);
  const match = /^(?:(\d{1,6})d? )?(\d{1,6}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?$/.exec(textOf(bytes, from, to));
  if (match === null) return Number.NaN;
  const [, days = '0', hours, minutes, seconds, fraction = ''] = match;
  const whole = Number(days) * DAY_SECONDS + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return whole * 1e6 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/** Numbers above these are no seconds but milliseconds, microseconds, nanoseconds: seconds reach them in the year 5138. */
const MILLISECONDS = 1e11;
const MICROSECONDS = 1e14;
const NANOSECONDS = 1e17;

/** A time as microseconds since the epoch: ISO 8601 (UTC unless it says otherwise), or a number whose size tells its unit. */
export function timeToUs(bytes: Uint8Array, from: number, to: number): number {
  if (to - from >= 10 && (bytes[from + 4] === MINUS || bytes[from + 4] === SLASH)) return isoToUs(bytes, from, to);
  const dot = bytes.indexOf(DOT, from);
  const wholeDigits = (dot < 0 || dot >= to ? to : dot) - from;
  if (wholeDigits <= 11) return secondsToUs(bytes, from, to);
  return epochToUs(numberOf(bytes, from, to));
}

function epochToUs(value: number): number {
  if (!(value >= 0)) return Number.NaN;
  if (value >= NANOSECONDS) return Math.floor(value / 1e3);
  if (value >= MICROSECONDS) return Math.floor(value);
  return value >= MILLISECONDS ? Math.round(value * 1e3) : Math.round(value * 1e6);
}

/** Nanoseconds since the epoch have 19 digits: the last three are dropped before they spoil the others. */
export function nanosecondsToUs(bytes: Uint8Array, from: number, to: number): number {
  if (to - from <= 3) return digits(bytes, from, to) >= 0 ? 0 : Number.NaN;
  const value = numberOf(bytes, from, to - 3);
  return digits(bytes, to - 3, to) >= 0 && value >= 0 ? value : Number.NaN;
}

/** `YYYY-MM-DD` or `YYYY/MM/DD`, a blank or T, `HH:MM:SS`, a fraction, and Z, an offset or nothing (then it is UTC). */
function isoToUs(bytes: Uint8Array, from: number, to: number): number {
  const days = daysOf(
    digits(bytes, from, from + 4),
    digits(bytes, from + 5, from + 7),
    digits(bytes, from + 8, from + 10),
  );
  if (Number.isNaN(days) || bytes[from + 7] !== bytes[from + 4]) return Number.NaN;
  if (to === from + 10) return days * DAY_SECONDS * 1e6;
  if (to < from + 19 || bytes[from + 13] !== COLON || bytes[from + 16] !== COLON) return Number.NaN;
  const hour = digits(bytes, from + 11, from + 13);
  const minute = digits(bytes, from + 14, from + 16);
  const second = digits(bytes, from + 17, from + 19);
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60) return Number.NaN;
  const us = ((days * 24 + hour) * 60 + minute) * 60e6 + second * 1e6;
  return us + isoTailUs(bytes, from + 19, to);
}

/** What stands behind the seconds: the fraction less the offset (`+01:00`, `+0100`, `+01`). */
function isoTailUs(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  let us = 0;
  if (at < to && (bytes[at] === DOT || bytes[at] === COMMA)) {
    const start = ++at;
    while (at < to && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
    us = fractionUs(bytes, start, Math.min(at, start + 6));
    if (at === start) return Number.NaN;
  }
  if (at < to && bytes[at] === 32) at++;
  if (at === to || (at === to - 1 && (bytes[at] | 32) === 122)) return us;
  const sign = bytes[at] === 43 ? 1 : bytes[at] === MINUS ? -1 : 0;
  const length = to - at;
  const hours = digits(bytes, at + 1, at + 3);
  const minutes = length === 3 ? 0 : digits(bytes, to - 2, to);
  if (sign === 0 || hours < 0 || minutes < 0 || (length !== 3 && length !== 5 && length !== 6)) return Number.NaN;
  return us - sign * (hours * 60 + minutes) * 60e6;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms"). */
function daysOf(year: number, month: number, day: number): number {
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31) return Number.NaN;
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  const letter = (byte | 32) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** Hexadecimal digits, with or without `0x`, up to 32 bits. */
export function hexOf(bytes: Uint8Array, from: number, to: number): number {
  const start = to - from > 2 && bytes[from] === ZERO && (bytes[from + 1] | 32) === 120 ? from + 2 : from;
  if (to <= start || to - start > 8) return Number.NaN;
  let value = 0;
  for (let i = start; i < to; i++) {
    const digit = hexDigit(bytes[i]);
    if (digit < 0) return Number.NaN;
    value = value * 16 + digit;
  }
  return value;
}

/** A MAC address as a 48-bit number: twelve hexadecimal digits in pairs, whatever stands between the pairs. */
export function macOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from !== 17) return Number.NaN;
  let value = 0;
  for (let i = from; i < to; i += 3) {
    const high = hexDigit(bytes[i]);
    const low = hexDigit(bytes[i + 1]);
    if (high < 0 || low < 0) return Number.NaN;
    value = value * 256 + high * 16 + low;
  }
  return value;
}

/** Letters of TCP flags, as bits; CWR is C. */
const FLAG_BITS = new Int16Array(128).fill(-1);
for (const [letter, bit] of Object.entries({ F: 1, S: 2, R: 4, P: 8, A: 16, U: 32, E: 64, C: 128, W: 128 })) {
  FLAG_BITS[letter.charCodeAt(0)] = bit;
}
FLAG_BITS[DOT] = 0;

/** TCP flags as a number, `0x1b`, or letters with or without dots (`...AP.SF`). */
export function flagsOf(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from) return 0;
  if (bytes[from] >= ZERO && bytes[from] <= NINE) {
    const decimal = digits(bytes, from, to);
    return decimal >= 0 ? decimal : hexOf(bytes, from, to);
  }
  let flags = 0;
  for (let i = from; i < to; i++) {
    const bit = bytes[i] < 128 ? FLAG_BITS[bytes[i]] : -1;
    if (bit < 0) return Number.NaN;
    flags |= bit;
  }
  return flags;
}

/** Added to what `portOf` answers for `type.code`: the type is in the high byte, the code in the low one. */
export const ICMP_PORT = 1 << 16;

/** A port, also in hexadecimal with `0x`, or ICMP type and code as `8.0`. */
export function portOf(bytes: Uint8Array, from: number, to: number): number {
  const whole = digits(bytes, from, to);
  if (whole >= 0) return whole <= 0xffff ? whole : Number.NaN;
  if (to - from <= 6 && bytes[from] === ZERO && (bytes[from + 1] | 32) === 120) return hexOf(bytes, from, to);
  const dot = bytes.indexOf(DOT, from);
  if (dot < 0 || dot >= to) return Number.NaN;
  const type = digits(bytes, from, dot);
  const code = digits(bytes, dot + 1, to);
  return type < 0 || code < 0 || type > 255 || code > 255 ? Number.NaN : ICMP_PORT + type * 256 + code;
}
