import type { NameText } from './name-text.ts';

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const MAX_EXTENSIONS = 64;
/** Record header, handshake header, version and random. */
const SESSION_ID = 5 + 4 + 2 + 32;

/*
 * ClientHello in the first TLS record (RFC 8446, sections 5.1 and 4.1.2):
 *   0 record type 22   1 version   3 record length (16)   5 handshake type 1   6 length (24)   9 version   11 random (32)
 *   43 session id, length 8 bits   cipher suites, 16   compression, 8   extensions, 16; each: type (16), length (16)
 * Server name (RFC 6066, section 3): list length (16), type 0, length (16), host name
 */

/** True when the bytes at `at` begin a ClientHello. */
export function isClientHello(data: Uint8Array<ArrayBufferLike>, at: number, end: number): boolean {
  return at + 6 <= end && data[at] === HANDSHAKE && data[at + 1] === 3 && data[at + 5] === CLIENT_HELLO;
}

/** Puts the server name that the ClientHello at `start` asks for into `name`, lower case; false when none is before `end`. */
export function serverName(data: Uint8Array<ArrayBufferLike>, start: number, end: number, name: NameText): boolean {
  let at = start + SESSION_ID;
  if (at + 1 > end) return false;
  at += 1 + data[at];
  if (at + 2 > end) return false;
  at += 2 + u16(data, at);
  if (at + 1 > end) return false;
  at += 1 + data[at];
  if (at + 2 > end) return false;
  return extensions(data, at + 2, Math.min(end, at + 2 + u16(data, at)), name);
}

function extensions(data: Uint8Array<ArrayBufferLike>, start: number, end: number, name: NameText): boolean {
  let at = start;
  for (let i = 0; i < MAX_EXTENSIONS && at + 4 <= end; i++) {
    const length = u16(data, at + 2);
    if (u16(data, at) === SERVER_NAME) return hostName(data, at + 4, Math.min(end, at + 4 + length), name);
    at += 4 + length;
  }
  return false;
}

function hostName(data: Uint8Array<ArrayBufferLike>, at: number, end: number, name: NameText): boolean {
  if (at + 5 > end || data[at + 2] !== HOST_NAME) return false;
  const length = u16(data, at + 3);
  if (length === 0 || at + 5 + length > end) return false;
  name.clear();
  return name.addText(data, at + 5, length);
}

function u16(data: Uint8Array<ArrayBufferLike>, at: number): number {
  return (data[at] << 8) | data[at + 1];
}
