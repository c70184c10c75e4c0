import { arp } from './arp.ts';
import { causeCode } from './causes.ts';
import { ethernet, etherType } from './ethernet.ts';
import { ip } from './ipv4.ts';
import { extensions, ipv6 } from './ipv6.ts';
import { llc } from './llc.ts';
import { nullLoopback } from './null-loopback.ts';
import { sll, sll2 } from './sll.ts';
import * as step from './step-codes.ts';
import { transport } from './transport.ts';
import { vlanTag } from './vlan.ts';
import type { Walk } from './walk.ts';

const TOO_MANY = causeCode('layers');
/** Steps a packet: eight tunnels with their link headers and VLAN tags fit. */
const MAX_STEPS = 96;

/** Goes through the headers of one packet, from the outermost on. */
export function walkHeaders(walk: Walk, first: number): void {
  let next = first;
  for (let i = 0; i < MAX_STEPS; i++) {
    if (next === step.END) return;
    next = take(walk, next);
  }
  walk.count(TOO_MANY);
}

function take(walk: Walk, next: number): number {
  switch (next) {
    case step.ETHERNET:
      return ethernet(walk);
    case step.ETHERTYPE:
      return etherType(walk);
    case step.LLC:
      return llc(walk);
    case step.IP:
      return ip(walk);
    case step.IPV6:
      return ipv6(walk);
    case step.EXTENSIONS:
      return extensions(walk);
    case step.TRANSPORT:
      return transport(walk);
    case step.VLAN_TAG:
      return vlanTag(walk);
    case step.ARP:
      return arp(walk);
    case step.SLL:
      return sll(walk);
    case step.SLL2:
      return sll2(walk);
    case step.NULL_LOOPBACK:
      return nullLoopback(walk);
    default:
      return step.END;
  }
}
