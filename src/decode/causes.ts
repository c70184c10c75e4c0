import type { Counter, Metrics } from '../core/metrics.ts';

/** Why a packet was not decoded to its end; each is a counter `weir_decode_errors_total{cause="..."}`. */
const CAUSES = [
  ['snaplen', 'header cut off by the snap length of the capture'],
  ['short', 'header does not fit into the bytes its carrier says it has'],
  ['link_type', 'link type that weir does not know'],
  ['ip_version', 'IP version other than 4 and 6'],
  ['ip_header_length', 'IPv4 header length below 20 bytes'],
  ['ip_length', 'IP length below its own header'],
  ['ip_length_exceeds_frame', 'IP length beyond the end of its frame'],
  ['extension_headers', 'more IPv6 extension headers than the limit'],
  ['tcp_header_length', 'TCP header length below 20 bytes or beyond the packet'],
  ['udp_length', 'UDP length below 8 or beyond the packet'],
  ['tunnel_depth', 'more tunnels inside each other than the limit'],
  ['layers', 'more headers in a packet than the limit'],
  ['fragment_first_missing', 'fragment whose first fragment was not seen in time: it has no ports'],
  ['fragment_table_full', 'first fragment dropped from the table before its time'],
  ['layer_table_full', 'header stack not told apart because too many are known'],
  ['link_header', 'link header that contradicts itself'],
  ['tunnel_header', 'tunnel header that contradicts itself'],
  ['dns', 'DNS message that contradicts itself'],
  ['address_table_full', 'name of an address forgotten for a newer one'],
] as const;

export type CauseName = (typeof CAUSES)[number][0];

/** The number by which a decoder counts a cause. */
export function causeCode(name: CauseName): number {
  return CAUSES.findIndex(([known]) => known === name);
}

/** One counter a cause, in order of their codes. */
export function causeCounters(metrics: Metrics): Counter[] {
  return CAUSES.map(([name, help]) => metrics.counter(`weir_decode_errors_total{cause="${name}"}`, help));
}
