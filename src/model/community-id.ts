import { sha1Short } from '../core/sha1.ts';
import { compareAddresses, isMapped } from './address.ts';
import { icmpCounterpart } from './icmp-pairs.ts';

const ICMP = 1;
const ICMP6 = 58;

/**
 * Writes into `MESSAGE_VIEW` what the Community ID of a flow, version 1 with seed 0, is the hash of: addresses, protocol and
 * ports, the smaller endpoint first (github.com/corelight/community-id-spec). For ICMP and ICMPv6, `srcPort` is the type and
 * `dstPort` the code. Addresses are 4 words each (`address.ts`). Without ports (`hasPorts` false) only addresses and
 * protocol count. @returns the message's length
 */
export function communityMessage(
  protocol: number,
  srcWords: Int32Array,
  srcAt: number,
  dstWords: Int32Array,
  dstAt: number,
  srcPort: number,
  dstPort: number,
  hasPorts: boolean,
): number {
  const answer = answeringPort(protocol, srcPort, dstPort);
  const destination = answer < 0 ? dstPort : answer;
  const order = compareAddresses(srcWords, srcAt, dstWords, dstAt);
  const forward = answer < 0 || order < 0 || (order === 0 && (!hasPorts || srcPort <= destination));
  return forward
    ? writeMessage(protocol, srcWords, srcAt, srcPort, dstWords, dstAt, destination, hasPorts)
    : writeMessage(protocol, dstWords, dstAt, destination, srcWords, srcAt, srcPort, hasPorts);
}

/** SHA-1 of the message that was written last. */
export function communityDigest(length: number, digest: Int32Array): void {
  sha1Short(MESSAGE, length, digest);
}

const DIGEST = new Int32Array(5);
const DIGEST_BYTES = Buffer.alloc(20);

export function communityText(digest: Int32Array): string {
  for (let i = 0; i < 5; i++) DIGEST_BYTES.writeInt32BE(digest[i], 4 * i);
  return `1:${DIGEST_BYTES.toString('base64')}`;
}

/** `1:` and the base64 of the SHA-1 of `communityMessage`. */
export function communityId(
  protocol: number,
  srcWords: Int32Array,
  srcAt: number,
  dstWords: Int32Array,
  dstAt: number,
  srcPort: number,
  dstPort: number,
  hasPorts: boolean,
): string {
  const length = communityMessage(protocol, srcWords, srcAt, dstWords, dstAt, srcPort, dstPort, hasPorts);
  communityDigest(length, DIGEST);
  return communityText(DIGEST);
}

/**
 * The destination's port. ICMP has none: type and the counterpart's type stand for them; -1 for a one-way message, which keeps
 * its code and order.
 */
function answeringPort(protocol: number, type: number, port: number): number {
  return protocol === ICMP || protocol === ICMP6 ? icmpCounterpart(type, protocol === ICMP6) : port;
}

/** What is hashed, written anew for each flow: seed (16), address, address, protocol, a zero byte, port (16), port (16). */
const MESSAGE = new Uint8Array(64);
export const MESSAGE_VIEW = new DataView(MESSAGE.buffer);

/** Answers the message's length. */
function writeMessage(
  protocol: number,
  first: Int32Array,
  firstAt: number,
  firstPort: number,
  second: Int32Array,
  secondAt: number,
  secondPort: number,
  hasPorts: boolean,
): number {
  const at = writeAddress(writeAddress(2, first, firstAt), second, secondAt);
  MESSAGE[at] = protocol;
  MESSAGE[at + 1] = 0;
  if (!hasPorts) return at + 2;
  MESSAGE_VIEW.setUint16(at + 2, firstPort);
  MESSAGE_VIEW.setUint16(at + 4, secondPort);
  return at + 6;
}

function writeAddress(at: number, words: Int32Array, word: number): number {
  const from = isMapped(words, word) ? 3 : 0;
  for (let i = from; i < 4; i++) MESSAGE_VIEW.setInt32(at + 4 * (i - from), words[word + i]);
  return at + 4 * (4 - from);
}
