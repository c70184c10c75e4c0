import { HAS_PAYLOAD, HAS_PORTS, HAS_TRANSPORT, IS_ANSWER, META, PORTS } from '../model/packet-rows.ts';
import { causeCode } from './causes.ts';
import { DNS_PORT, isServiceAnswer, UDP_PORTS } from './ports-of-services.ts';
import { END } from './step-codes.ts';
import { udpTunnel } from './udp-tunnels.ts';
import { type Walk, WHOLE } from './walk.ts';

const LENGTH = causeCode('udp_length');
const HEADER = 8;

/*
 * UDP header (RFC 768): 0 source port (16)   2 destination port (16)   4 length (16)   6 checksum (16)
 * UDP-Lite (RFC 3828) has its checksum coverage where UDP has the length.
 */
export function udp(walk: Walk): number {
  if (walk.lacks(4)) return END;
  const { words, row, view, at } = walk;
  const source = view.getUint16(at);
  const destination = view.getUint16(at + 2);
  words[row + PORTS] = view.getInt32(at);
  words[row + META] |= HAS_PORTS | (isServiceAnswer(source, destination) ? IS_ANSWER : 0);
  if (walk.lacks(HEADER)) return END;
  words[row + META] |= HAS_TRANSPORT | (at + HEADER < walk.ipEnd ? HAS_PAYLOAD : 0);
  boundUdp(walk, view.getUint16(at + 4));
  walk.at = at + HEADER;
  if (((UDP_PORTS[source] | UDP_PORTS[destination]) & DNS_PORT) !== 0) {
    walk.inside.dns(walk.data, walk.at, walk.cap, words, row);
  }
  return walk.tunnels ? udpTunnel(source, destination) : END;
}

/** A fragment holds less than the length says; a jumbogram says zero. */
function boundUdp(walk: Walk, length: number): void {
  if (walk.fragment !== WHOLE || length === 0) return;
  if (length < HEADER || walk.at + length > walk.ipEnd) walk.count(LENGTH);
  else walk.narrow(length);
}

export function udpLite(walk: Walk): number {
  if (walk.lacks(4)) return END;
  const { words, row, view, at } = walk;
  words[row + PORTS] = view.getInt32(at);
  words[row + META] |= HAS_PORTS;
  if (walk.lacks(HEADER)) return END;
  words[row + META] |= HAS_TRANSPORT | (at + HEADER < walk.ipEnd ? HAS_PAYLOAD : 0);
  return END;
}
