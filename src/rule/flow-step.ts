import type { Prefix } from '../model/address.ts';

export interface Side {
  net: Prefix;
  /** Null: any port, another one each flow. */
  ports: { from: number; to: number } | null;
}

/**
 * One line of a rule test's `flows:`, as data:
 * `0s..60s every 1s: tcp flags S 198.51.100.0/24 -> 192.0.2.7:80 packets 9000`.
 */
export interface FlowLine {
  fromUs: number;
  toUs: number;
  everyUs: number;
  /** IP protocol number; null for ARP. */
  proto: number | null;
  source: Side;
  destination: Side;
  flags: number;
  reverseFlags: number;
  /** Of one step, all flows together. */
  packets: number;
  bytes: number;
  reversePackets: number;
  reverseBytes: number;
  /** Flows a step. */
  flows: number;
  established: boolean;
  unasked: boolean;
  /** The flows of the first step go on in every later one. */
  long: boolean;
  /** Only one direction is known, as from a unidirectional exporter. */
  oneway: boolean;
  response: boolean;
  icmpError: boolean;
  icmpType: number;
  icmpCode: number;
  vlan: number;
  inIf: number;
  outIf: number;
  tos: number;
  dnsName: string;
  dnsType: number;
  sni: string;
  exporter: string;
  /** A measurement of weir itself instead of traffic: `metric NAME label TEXT value N`. Empty: traffic. */
  metric: string;
  label: string;
  value: number;
  /** MAC address of the source; `%` in it is another byte pair each flow. Empty: none. */
  sourceMac: string;
  /** The rows have no ports: fragments whose first one never came. */
  noPorts: boolean;
  /** Share of `everyUs` by which a step may come late. */
  jitter: number;
  /** 0..1: each step happens or not, the same each time. */
  chance: number;
}
