import {
  BIFLOW,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  IS_ARP,
  IS_DNS_RESPONSE,
  IS_ICMP_ERROR,
  IS_IPV6,
  NO_LAYER2,
  NO_OCTETS,
  NO_PACKETS,
  NO_PROTOCOL,
} from '../model/flow-batch.ts';
import { PacketBatch } from '../model/packet-batch.ts';
import * as packet from '../model/packet-rows.ts';
import { uintAt } from './field-value.ts';
import type { Places } from './row-writer.ts';
import type { Template } from './template.ts';

/** The packet decoder, as far as exporters need it: packets that records carry become rows. */
export interface FrameDecoder {
  decode(batch: PacketBatch, from: number, to: number, rows: packet.PacketRows): number;
}

/** LINKTYPE_ETHERNET and LINKTYPE_RAW. */
export const ETHERNET = 1;
export const RAW_IP = 101;

/** Which bit of a packet's row is which of a batch's. */
const BITS = [
  [packet.HAS_IP, HAS_IP],
  [packet.HAS_PORTS, HAS_PORTS],
  [packet.HAS_ICMP, HAS_ICMP],
  [packet.HAS_OUTER, HAS_OUTER],
  [packet.IS_ARP, IS_ARP],
  [packet.IS_ICMP_ERROR, IS_ICMP_ERROR],
  [packet.IS_DNS_RESPONSE, IS_DNS_RESPONSE],
  [packet.IS_IPV6, IS_IPV6],
] as const;

const MAC_HIGH = 2 ** 32;

/** Packets inside records, one at a time, through the packet decoder. */
export class Frames {
  readonly #decoder: FrameDecoder;
  readonly #batch = new PacketBatch(1);
  readonly #rows = new packet.PacketRows(1);

  constructor(decoder: FrameDecoder) {
    this.#decoder = decoder;
  }

  /** Fills a row from the packet that an IPFIX record carries (RFC 7133; RFC 5477): one packet, times its sampling. */
  fillRecord = (data: Uint8Array, template: Template, places: Places, batch: FlowBatch, row: number): void => {
    const plan = template.plan;
    if (plan === null || places.length[plan.frame] === 0) return;
    const captured = places.length[plan.frame];
    const size = plan.frameSize < 0 ? 0 : uintAt(data, places.at[plan.frameSize], places.length[plan.frameSize]);
    const hadInterface = batch.ingressInterface[row];
    const linkType = plan.frameIsIp ? RAW_IP : ETHERNET;
    this.fill(data, places.at[plan.frame], captured, Math.max(size, captured), linkType, batch, row);
    batch.ingressInterface[row] = hadInterface;
  };

  /**
   * Fills row `row` with what the packet at `at` says; counts are one packet times the row's `samplingInterval`. Times,
   * exporter and interfaces stay as they are.
   */
  fill(
    data: Uint8Array,
    at: number,
    captured: number,
    wire: number,
    linkType: number,
    batch: FlowBatch,
    row: number,
  ): void {
    const from = this.#batch;
    from.setData(data);
    from.length = 1;
    from.offset[0] = at;
    from.capturedLength[0] = captured;
    from.wireLength[0] = wire;
    from.timeUs[0] = batch.endUs[row];
    from.linkType[0] = linkType;
    this.#rows.length = 0;
    this.#decoder.decode(from, 0, 1, this.#rows);
    copyPacket(this.#rows, 0, batch, row);
    const rate = batch.samplingInterval[row] || 1;
    batch.packetDeltaCount[row] = rate;
    batch.octetDeltaCount[row] = rate * (this.#rows.words[packet.IP_BYTES] >>> 0);
    batch.layer2OctetDeltaCount[row] = rate * wire;
    batch.meta[row] &= ~(linkType === RAW_IP ? 0 : NO_LAYER2);
  }
}

/** What a decoded packet says, into a row of a batch. */
export function copyPacket(rows: packet.PacketRows, at: number, batch: FlowBatch, row: number): void {
  const { words } = rows;
  const o = at * packet.ROW;
  const said = words[o + packet.META];
  let meta = batch.meta[row] & ~(NO_PACKETS | NO_OCTETS | NO_PROTOCOL | BIFLOW);
  for (const [from, to] of BITS) if ((said & from) !== 0) meta |= to;
  batch.meta[row] = meta;
  const hasIp = (said & (packet.HAS_IP | packet.IS_ARP)) !== 0;
  const hasOuter = (said & packet.HAS_OUTER) !== 0;
  for (let k = 0; k < 4; k++) {
    batch.sourceAddress[4 * row + k] = hasIp ? words[o + packet.SRC + k] : 0;
    batch.destinationAddress[4 * row + k] = hasIp ? words[o + packet.DST + k] : 0;
    batch.outerSourceAddress[4 * row + k] = hasOuter ? words[o + packet.OUTER_SRC + k] : 0;
    batch.outerDestinationAddress[4 * row + k] = hasOuter ? words[o + packet.OUTER_DST + k] : 0;
  }
  const hasPorts = (said & packet.HAS_PORTS) !== 0;
  batch.sourceTransportPort[row] = hasPorts ? words[o + packet.PORTS] >>> 16 : 0;
  batch.destinationTransportPort[row] = hasPorts ? words[o + packet.PORTS] & 0xffff : 0;
  batch.protocolIdentifier[row] = said & 0xff;
  batch.tcpControlBits[row] = words[o + packet.FLAGS] & 0xffff;
  batch.ipClassOfService[row] = (words[o + packet.FLAGS] >>> 16) & 0xff;
  batch.icmpTypeCode[row] = words[o + packet.ICMP];
  batch.vlanId[row] = words[o + packet.VLAN];
  batch.layers[row] = words[o + packet.LAYERS];
  batch.dnsName[row] = words[o + packet.DNS_NAME];
  batch.dnsType[row] = words[o + packet.DNS_TYPE];
  batch.sni[row] = words[o + packet.SNI];
  if ((said & packet.HAS_MAC) === 0) return;
  batch.sourceMacAddress[row] = words[o + packet.SRC_MAC] * MAC_HIGH + (words[o + packet.SRC_MAC + 1] >>> 0);
  batch.destinationMacAddress[row] = words[o + packet.DST_MAC] * MAC_HIGH + (words[o + packet.DST_MAC + 1] >>> 0);
}
