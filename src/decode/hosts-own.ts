import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERTYPE, IP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const SLIP_LAYER = layerCode('slip');
const IPNET_LAYER = layerCode('ipnet');
const IPOIB_LAYER = layerCode('ipoib');
const PFLOG_LAYER = layerCode('pflog');
const ENC_LAYER = layerCode('enc');
const LINK_HEADER = causeCode('link_header');
const MAX_FAMILY = 30;

/*
 * SLIP (LINKTYPE_SLIP): 0 direction   1 the header as it was compressed (120)   16 IP
 */
export function slip(walk: Walk): number {
  if (walk.lacks(16)) return END;
  walk.push(SLIP_LAYER);
  walk.at += 16;
  return IP;
}

/*
 * Solaris ipnet (LINKTYPE_IPNET): 0 version 1   1 family   2 hook type (16)   4 packet length (32) ...   24 IP
 */
export function ipnet(walk: Walk): number {
  if (walk.lacks(24)) return END;
  walk.push(IPNET_LAYER);
  walk.at += 24;
  return IP;
}

/*
 * IP over InfiniBand (LINKTYPE_IPOIB): 0 global route header (40 bytes)   40 EtherType (16)   42 reserved (RFC 4391)
 */
export function ipoib(walk: Walk): number {
  if (walk.lacks(44)) return END;
  walk.push(IPOIB_LAYER);
  walk.type = walk.view.getUint16(walk.at + 40);
  walk.at += 44;
  return ETHERTYPE;
}

/*
 * OpenBSD packet filter log (LINKTYPE_PFLOG): 0 header length without padding   1 address family ...
 */
export function pflog(walk: Walk): number {
  if (walk.lacks(2)) return END;
  const { data, at } = walk;
  walk.push(PFLOG_LAYER);
  const length = (data[at] + 3) & ~3;
  if (length < 4 || data[at + 1] > MAX_FAMILY) {
    walk.count(LINK_HEADER);
    return END;
  }
  if (walk.lacks(length)) return END;
  walk.at = at + length;
  return IP;
}

/*
 * BSD's view of packets in IPsec (LINKTYPE_ENC): 0 address family   4 SPI   8 flags, all 32 bits, in the host's order
 */
export function enc(walk: Walk): number {
  if (walk.lacks(12)) return END;
  walk.push(ENC_LAYER);
  walk.at += 12;
  return IP;
}
