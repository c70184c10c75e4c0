import type { DataSets } from './data-sets.ts';
import type { DatagramReader } from './datagram.ts';
import { FIXED_START, fixedTemplate, headerTimeUs } from './netflow-fixed.ts';

/**
 * NetFlow version 7, of Catalyst 5000 switches (Cisco, "NetFlow Export Datagram Format", table B-5 and B-6):
 *
 *      0  version = 7    2  count, 1 to 28
 *      4  sysUptime, ms  8  unixSecs  12  unixNsecs
 *     16  sequence: records before these  20  4 of padding
 *     24  records of 52 bytes: addresses, next hop, interfaces, packets, octets, first, last, ports,
 *         flags (which fields are valid), TCP flags, protocol, tos, autonomous systems, mask lengths, 2 of flags,
 *         the router that the switch bypassed
 */
const HEADER = 24;
const RECORD = fixedTemplate([
  ...FIXED_START,
  ['', 1],
  ['tcpControlBits', 1],
  ['protocolIdentifier', 1],
  ['ipClassOfService', 1],
  ['bgpSourceAsNumber', 2],
  ['bgpDestinationAsNumber', 2],
  ['sourceIPv4PrefixLength', 1],
  ['destinationIPv4PrefixLength', 1],
  ['', 2],
  ['ipv4RouterSc', 4],
]);

/** Reads a datagram whose first two bytes are 7. @returns false when it is none of v7 */
export function readNetflowV7(sets: DataSets, d: DatagramReader): boolean {
  const { view, from, to } = d;
  if (to - from < HEADER) return false;
  const count = view.getUint16(from + 2);
  const end = from + HEADER + count * RECORD.minLength;
  if (count === 0 || end > to) return false;
  const context = d.begin(7, 0, headerTimeUs(view, from + 8), view.getUint32(from + 4));
  sets.read(RECORD, d.data, view, from + HEADER, end, context);
  d.sequence(view.getUint32(from + 16), count, 1);
  return true;
}
