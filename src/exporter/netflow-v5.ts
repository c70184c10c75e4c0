import type { DataSets } from './data-sets.ts';
import type { DatagramReader } from './datagram.ts';
import { FIXED_START, fixedTemplate, headerTimeUs } from './netflow-fixed.ts';

/**
 * NetFlow version 5 (Cisco, "NetFlow Export Datagram Format", table B-3 and B-4):
 *
 *      0  version = 5    2  count
 *      4  sysUptime, ms  8  unixSecs  12  unixNsecs
 *     16  sequence: records before these  20  engine type  21  engine id
 *     22  sampling: 2 bits of mode, 14 of interval
 *     24  records of 48 bytes: addresses, next hop, interfaces, packets, octets, first, last, ports,
 *         1 of padding, TCP flags, protocol, tos, autonomous systems, mask lengths, 2 of padding
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
]);

/** Reads a datagram whose first two bytes are 5. @returns false when it is none of v5 */
export function readNetflowV5(sets: DataSets, d: DatagramReader): boolean {
  const { view, from, to } = d;
  if (to - from < HEADER) return false;
  const count = view.getUint16(from + 2);
  const end = from + HEADER + count * RECORD.minLength;
  if (count === 0 || end > to) return false;
  const engineType = view.getUint8(from + 20);
  const engineId = view.getUint8(from + 21);
  const sampling = view.getUint16(from + 22);
  const samplingInterval = sampling & 0x3fff;
  const context = d.begin(5, (engineType << 8) | engineId, headerTimeUs(view, from + 8), view.getUint32(from + 4));
  context.headerRate = samplingInterval;
  sets.headerElements = { engineType, engineId, samplingAlgorithm: sampling >> 14, samplingInterval };
  sets.read(RECORD, d.data, view, from + HEADER, end, context);
  sets.headerElements = null;
  d.sequence(view.getUint32(from + 16), count, 1);
  return true;
}
