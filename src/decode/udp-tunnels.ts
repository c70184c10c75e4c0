import { TUNNEL_DESTINATION, TUNNEL_EITHER, UDP_PORTS } from './ports-of-services.ts';
import {
  AYIYA,
  CAPWAP,
  END,
  FOU,
  GENEVE,
  GRE_IN_UDP,
  GTP_U,
  GUE,
  L2TP,
  LISP,
  MPLS_IN_UDP,
  TEREDO,
  TZSP,
  VXLAN,
  VXLAN_GPE,
} from './step-codes.ts';

/** Tunnels over UDP by the port that opens them (IANA; 8472 is Linux's older VXLAN port, 5555 the one of its manual for IP in UDP). */
const STEPS: ReadonlyMap<number, number> = new Map([
  [4789, VXLAN],
  [8472, VXLAN],
  [4790, VXLAN_GPE],
  [6081, GENEVE],
  [6635, MPLS_IN_UDP],
  [6080, GUE],
  [5555, FOU],
  [4754, GRE_IN_UDP],
  [4341, LISP],
  [5072, AYIYA],
  [37008, TZSP],
  [2152, GTP_U],
  [1701, L2TP],
  [3544, TEREDO],
  [5247, CAPWAP],
]);

/** The step into the tunnel that these ports may open, `END` when they open none. */
export function udpTunnel(source: number, destination: number): number {
  if ((UDP_PORTS[destination] & (TUNNEL_DESTINATION | TUNNEL_EITHER)) !== 0) return STEPS.get(destination) ?? END;
  return (UDP_PORTS[source] & TUNNEL_EITHER) !== 0 ? (STEPS.get(source) ?? END) : END;
}
