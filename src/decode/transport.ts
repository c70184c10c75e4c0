import { HAS_PAYLOAD, IS_LATER_FRAGMENT, META } from '../model/packet-rows.ts';
import { ah } from './ah.ts';
import { icmp, icmp6 } from './icmp.ts';
import { type LayerName, layerCode } from './layer-codes.ts';
import { dccp, sctp } from './ports.ts';
import { END, ETHERIP, ETHERNET, EXTENSIONS, GRE, IP, L2TP_IP, MPLS } from './step-codes.ts';
import { tcp } from './tcp.ts';
import { udp, udpLite } from './udp.ts';
import { FIRST_FRAGMENT, LATER_FRAGMENT, type Walk } from './walk.ts';

/** IP protocols (IANA) that show in the stack. */
const NAMES: readonly [number, LayerName][] = [
  [1, 'icmp'],
  [2, 'igmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [47, 'gre'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'icmp6'],
  [97, 'etherip'],
  [115, 'l2tp'],
  [132, 'sctp'],
  [136, 'udplite'],
];

const LAYERS = new Int32Array(256);
for (const [protocol, name] of NAMES) LAYERS[protocol] = layerCode(name);

/** What stands behind an IP header. */
export function transport(walk: Walk): number {
  if (LAYERS[walk.type] !== 0) walk.push(LAYERS[walk.type]);
  if (walk.fragment === LATER_FRAGMENT) {
    const { words, row } = walk;
    words[row + META] |= IS_LATER_FRAGMENT | (walk.at < walk.ipEnd ? HAS_PAYLOAD : 0);
    walk.missesFirst = !walk.fragments.inherit(walk);
    return END;
  }
  const step = open(walk);
  if (walk.fragment === FIRST_FRAGMENT && step !== EXTENSIONS) first(walk);
  return step;
}

function first(walk: Walk): void {
  walk.fragments.remember(walk);
  walk.early.meet(walk, walk.fragments);
}

function open(walk: Walk): number {
  switch (walk.type) {
    case 1:
      return icmp(walk);
    case 6:
      return tcp(walk);
    case 17:
      return udp(walk);
    case 33:
      return dccp(walk);
    case 51:
      return ah(walk);
    case 58:
      return icmp6(walk);
    case 132:
      return sctp(walk);
    case 136:
      return udpLite(walk);
    default:
      return tunnel(walk);
  }
}

/** IP protocols that carry packets: IP in IP (RFC 2003), 6in4 (RFC 4213), GRE, ... */
function tunnel(walk: Walk): number {
  if (!walk.tunnels) return END;
  switch (walk.type) {
    case 4:
    case 41:
    case 94:
      return IP;
    case 47:
      return GRE;
    case 97:
      return ETHERIP;
    case 115:
      return L2TP_IP;
    case 137: // RFC 4023
      return MPLS;
    case 143: // RFC 8986
      return ETHERNET;
    default:
      return END;
  }
}
