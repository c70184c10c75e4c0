import { IPV4_WORD_2, parseAddress } from '../../src/model/address.ts';
import * as R from '../../src/model/packet-rows.ts';

/** A packet as tests write it; what is absent is what most packets are. */
export interface Packet {
  /** Seconds of event time. */
  at: number;
  src?: string;
  dst?: string;
  proto?: number;
  sport?: number;
  dport?: number;
  bytes?: number;
  wire?: number;
  /** Letters of `FSRPAUEC`. */
  flags?: string;
  payload?: boolean;
  vlan?: number;
  interface?: number;
  icmp?: [type: number, code: number];
  answer?: boolean;
  icmpError?: boolean;
  dns?: number;
  dnsType?: number;
  dnsResponse?: boolean;
  sni?: number;
  outer?: [string, string];
  mac?: [number, number];
  arp?: boolean;
  /** No IP at all. */
  bare?: boolean;
  layers?: number;
  tos?: number;
}

/** Rows of the packets, as a decoder would fill them. */
export function rowsOf(packets: readonly Packet[]): R.PacketRows {
  const rows = new R.PacketRows(Math.max(1, packets.length));
  for (const packet of packets) writePacket(rows, rows.length++ * R.ROW, packet);
  return rows;
}

function writePacket(rows: R.PacketRows, r: number, packet: Packet): void {
  const { words } = rows;
  const hasIp = !packet.bare && !packet.arp;
  const src = packet.src ?? '10.0.0.1';
  const dst = packet.dst ?? '10.0.0.2';
  let meta = packet.proto ?? 6;
  if (hasIp || packet.arp) {
    parseAddress(src, words, r + R.SRC);
    parseAddress(dst, words, r + R.DST);
  } else {
    words.fill(-7, r + R.SRC, r + R.SRC + 8);
  }
  if (hasIp) meta |= R.HAS_IP | R.HAS_TRANSPORT;
  if (hasIp && words[r + R.SRC + 2] !== IPV4_WORD_2) meta |= R.IS_IPV6;
  if (hasIp && packet.sport !== undefined) meta |= R.HAS_PORTS;
  if (packet.icmp) meta |= R.HAS_ICMP;
  if (packet.arp) meta |= R.IS_ARP;
  if (packet.answer) meta |= R.IS_ANSWER;
  if (packet.icmpError) meta |= R.IS_ICMP_ERROR;
  if (packet.dnsResponse) meta |= R.IS_DNS_RESPONSE;
  if (packet.payload ?? packet.proto === 17) meta |= R.HAS_PAYLOAD;
  if (packet.outer) {
    meta |= R.HAS_OUTER;
    parseAddress(packet.outer[0], words, r + R.OUTER_SRC);
    parseAddress(packet.outer[1], words, r + R.OUTER_DST);
  }
  if (packet.mac) {
    meta |= R.HAS_MAC;
    writeMac(words, r + R.SRC_MAC, packet.mac[0]);
    writeMac(words, r + R.DST_MAC, packet.mac[1]);
  }
  words[r + R.META] = meta;
  words[r + R.PORTS] = ((packet.sport ?? 0) << 16) | (packet.dport ?? 0);
  words[r + R.IP_BYTES] = packet.bytes ?? 40;
  words[r + R.WIRE_BYTES] = packet.wire ?? (packet.bytes ?? 40) + 14;
  words[r + R.FLAGS] = flagBits(packet.flags ?? '') | ((packet.tos ?? 0) << 16);
  words[r + R.VLAN] = packet.vlan ?? -1;
  words[r + R.INTERFACE] = packet.interface ?? 0;
  words[r + R.ICMP] = packet.icmp ? (packet.icmp[0] << 8) | packet.icmp[1] : 0;
  words[r + R.LAYERS] = packet.layers ?? 1;
  words[r + R.DNS_NAME] = packet.dns ?? 0;
  words[r + R.DNS_TYPE] = packet.dnsType ?? 0;
  words[r + R.SNI] = packet.sni ?? 0;
  rows.doubles[(r >> 1) + R.TIME_F64] = Math.round(packet.at * 1e6);
}

function writeMac(words: Int32Array, at: number, mac: number): void {
  words[at] = Math.floor(mac / 2 ** 32);
  words[at + 1] = mac | 0;
}

export function flagBits(letters: string): number {
  return [...letters].reduce((bits, letter) => bits | (1 << 'FSRPAUEC'.indexOf(letter)), 0);
}
