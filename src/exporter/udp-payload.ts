import type { PacketBatch } from '../model/packet-batch.ts';
import * as packet from '../model/packet-rows.ts';

const UDP = 17;
const UDP_HEADER = 8;
/** Headers before UDP's are never longer: links, tunnels and IPv6 extensions. */
const DEEPEST = 512;
const LONGEST_IPV4_HEADER = 60;

/**
 * Where the UDP payload of a decoded packet begins in its batch, -1 for what carries none. The decoder has found the
 * ports and the length of the innermost IP packet; its UDP header is the place where both ports stand and the length
 * fits into that packet. Bytes that the capture cut off are missing at the payload's end.
 */
export function udpPayload(batch: PacketBatch, at: number, rows: packet.PacketRows, row: number): number {
  const { words } = rows;
  const o = row * packet.ROW;
  const meta = words[o + packet.META];
  if ((meta & (packet.HAS_IP | packet.HAS_PORTS)) !== (packet.HAS_IP | packet.HAS_PORTS)) return -1;
  if ((meta & 0xff) !== UDP || (meta & packet.IS_LATER_FRAGMENT) !== 0) return -1;
  const isIpv6 = (meta & packet.IS_IPV6) !== 0;
  const ports = words[o + packet.PORTS];
  const ipBytes = words[o + packet.IP_BYTES] >>> 0;
  const { view } = batch;
  const start = batch.offset[at];
  const end = start + batch.capturedLength[at] - UDP_HEADER;
  for (let p = start; p <= end && p - start <= DEEPEST; p++) {
    if (view.getInt32(p) !== ports) continue;
    const headers = ipBytes - view.getUint16(p + 4);
    if (isIpv6 ? headers >= 40 && headers <= DEEPEST : headers >= 20 && headers <= LONGEST_IPV4_HEADER) {
      return p + UDP_HEADER;
    }
  }
  return -1;
}

/** Bytes of the payload at `from` that are there: by the UDP header before it and the end of the capture. */
export function payloadEnd(batch: PacketBatch, at: number, from: number): number {
  const length = batch.view.getUint16(from - 4) - UDP_HEADER;
  return Math.min(from + Math.max(0, length), batch.offset[at] + batch.capturedLength[at]);
}
