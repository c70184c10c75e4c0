import { createHash } from 'node:crypto';
import { compareAddresses, isMapped } from './address.ts';
import { icmpCounterpart } from './icmp-pairs.ts';

const ICMP = 1;
const ICMP6 = 58;

/**
 * Community ID of a flow, version 1 with seed 0: `1:` and the base64 SHA-1 of addresses, protocol and ports, the smaller
 * endpoint first (github.com/corelight/community-id-spec). For ICMP and ICMPv6, `srcPort` is the type and `dstPort` the
 * code. Addresses are 4 words each (`address.ts`). Without ports (`hasPorts` false) only addresses and protocol count.
 */
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
  const { source, destination, oneWay } = endpoints(protocol, srcPort, dstPort);
  const order = compareAddresses(srcWords, srcAt, dstWords, dstAt);
  const forward = oneWay || order < 0 || (order === 0 && (!hasPorts || source <= destination));
  const hash = createHash('sha1').update(
    forward
      ? message(protocol, [srcWords, srcAt, source], [dstWords, dstAt, destination], hasPorts)
      : message(protocol, [dstWords, dstAt, destination], [srcWords, srcAt, source], hasPorts),
  );
  return `1:${hash.digest('base64')}`;
}

/** ICMP has no ports: type and the counterpart's type stand for them; a one-way message keeps its code and order. */
function endpoints(protocol: number, a: number, b: number): { source: number; destination: number; oneWay: boolean } {
  if (protocol !== ICMP && protocol !== ICMP6) return { source: a, destination: b, oneWay: false };
  const peer = icmpCounterpart(a, protocol === ICMP6);
  return peer < 0 ? { source: a, destination: b, oneWay: true } : { source: a, destination: peer, oneWay: false };
}

type Endpoint = [words: Int32Array, at: number, port: number];

/** Layout: seed (16), address, address, protocol, a zero byte, port (16), port (16). */
function message(protocol: number, first: Endpoint, second: Endpoint, hasPorts: boolean): Uint8Array {
  const bytes = Buffer.alloc(40);
  let at = 2;
  for (const endpoint of [first, second]) at = writeAddress(bytes, at, endpoint);
  bytes[at] = protocol;
  at += 2;
  if (!hasPorts) return bytes.subarray(0, at);
  bytes.writeUInt16BE(first[2], at);
  bytes.writeUInt16BE(second[2], at + 2);
  return bytes.subarray(0, at + 4);
}

function writeAddress(bytes: Buffer, at: number, [words, word]: Endpoint): number {
  const from = isMapped(words, word) ? 3 : 0;
  for (let i = from; i < 4; i++) bytes.writeInt32BE(words[word + i], at + 4 * (i - from));
  return at + 4 * (4 - from);
}
