import type { DataSets } from './data-sets.ts';
import type { DatagramReader } from './datagram.ts';
import { FIXED_START, fixedTemplate, headerTimeUs } from './netflow-fixed.ts';

/**
 * NetFlow version 1 (Cisco, "NetFlow Export Datagram Format", table B-1 and B-2):
 *
 *      0  version = 1    2  count, 1 to 24
 *      4  sysUptime, ms  8  unixSecs  12  unixNsecs
 *     16  records of 52 bytes: addresses, next hop, interfaces, packets, octets, first, last, ports,
 *         2 of padding, protocol, tos, TCP flags, 7 of padding
 */
const HEADER = 16;
const MOST_RECORDS = 24;
const RECORD = fixedTemplate([
  ...FIXED_START,
  ['', 2],
  ['protocolIdentifier', 1],
  ['ipClassOfService', 1],
  ['tcpControlBits', 1],
  ['', 7],
]);

/** Reads a datagram whose first two bytes are 1. @returns false when it is none of v1 */
export function readNetflowV1(sets: DataSets, d: DatagramReader): boolean {
  const { view, from, to } = d;
  if (to - from < HEADER) return false;
  const count = view.getUint16(from + 2);
  const end = from + HEADER + count * RECORD.minLength;
  if (count === 0 || count > MOST_RECORDS || end > to) return false;
  const context = d.begin(1, 0, headerTimeUs(view, from + 8), view.getUint32(from + 4));
  sets.read(RECORD, d.data, view, from + HEADER, end, context);
  return true;
}
