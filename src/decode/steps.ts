import { arcnet, arcnetLinux } from './arcnet.ts';
import { arp } from './arp.ts';
import { atmClip, atmLlc, sunAtm } from './atm.ts';
import { ayiya } from './ayiya.ts';
import { capwap } from './capwap.ts';
import { causeCode } from './causes.ts';
import { chdlc, chdlcWithDirection } from './chdlc.ts';
import { erf } from './erf.ts';
import { erspan2, erspan3 } from './erspan.ts';
import { ethernet, etherType } from './ethernet.ts';
import { fabricPath, isl, macsec, pbb, plainTag, trill } from './ethernet-tags.ts';
import { frameRelay, frameRelayWithDirection } from './frame-relay.ts';
import { geneve } from './geneve.ts';
import { gre, greInUdp } from './gre.ts';
import { gtpU } from './gtp.ts';
import { enc, ipnet, ipoib, pflog, slip } from './hosts-own.ts';
import { ip } from './ipv4.ts';
import { extensions, ipv6 } from './ipv6.ts';
import { juniperChdlc, juniperEther, juniperFrameRelay, juniperPpp } from './juniper.ts';
import { l2tp, l2tpIp } from './l2tp.ts';
import { pktap, ppi } from './link-in-link.ts';
import { llc } from './llc.ts';
import { mpls, mplsInUdp } from './mpls.ts';
import { nflog } from './nflog.ts';
import { nullLoopback } from './null-loopback.ts';
import { fddi, ieee1394, tokenRing } from './old-lans.ts';
import { ppp, pppProtocol, pppSerial, pppWithDirection } from './ppp.ts';
import { pppoe } from './pppoe.ts';
import { prismOrAvs, radiotap } from './radio-headers.ts';
import { sll, sll2 } from './sll.ts';
import { etherIp, fou, gue, lisp, tzsp } from './small-tunnels.ts';
import * as step from './step-codes.ts';
import { brcm, brcmPrepend, dsa, edsa } from './switch-tags.ts';
import { teredo } from './teredo.ts';
import { transport } from './transport.ts';
import { vlanTag } from './vlan.ts';
import { nsh, vxlan, vxlanGpe } from './vxlan.ts';
import type { Walk } from './walk.ts';
import { wlan, wlanEitherOrder } from './wlan.ts';

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
    case step.ARP:
      return arp(walk);
    case step.VLAN_TAG:
      return vlanTag(walk);
    case step.PLAIN_TAG:
      return plainTag(walk);
    case step.MACSEC:
      return macsec(walk);
    case step.PBB:
      return pbb(walk);
    case step.FABRIC_PATH:
      return fabricPath(walk);
    case step.TRILL:
      return trill(walk);
    case step.ISL:
      return isl(walk);
    case step.MPLS:
      return mpls(walk);
    case step.PPPOE:
      return pppoe(walk);
    case step.PPP:
      return ppp(walk);
    case step.PPP_PROTOCOL:
      return pppProtocol(walk);
    case step.PPP_HDLC:
      return pppSerial(walk);
    case step.PPP_DIRECTION:
      return pppWithDirection(walk);
    case step.CHDLC:
      return chdlc(walk);
    case step.FRAME_RELAY:
      return frameRelay(walk);
    case step.SLL:
      return sll(walk);
    case step.SLL2:
      return sll2(walk);
    case step.NULL_LOOPBACK:
      return nullLoopback(walk);
    case step.NFLOG:
      return nflog(walk);
    case step.WLAN:
      return wlan(walk);
    case step.CAPWAP_WLAN:
      return wlanEitherOrder(walk);
    case step.RADIOTAP:
      return radiotap(walk);
    case step.PRISM_OR_AVS:
      return prismOrAvs(walk);
    case step.PPI:
      return ppi(walk);
    case step.PKTAP:
      return pktap(walk);
    case step.SLIP:
      return slip(walk);
    case step.IPNET:
      return ipnet(walk);
    case step.IPOIB:
      return ipoib(walk);
    case step.PFLOG:
      return pflog(walk);
    case step.FDDI:
      return fddi(walk);
    case step.TOKEN_RING:
      return tokenRing(walk);
    case step.IEEE1394:
      return ieee1394(walk);
    case step.ARCNET:
      return arcnet(walk);
    case step.ARCNET_LINUX:
      return arcnetLinux(walk);
    case step.DSA:
      return dsa(walk);
    case step.EDSA:
      return edsa(walk);
    case step.BRCM:
      return brcm(walk);
    case step.BRCM_PREPEND:
      return brcmPrepend(walk);
    case step.SUNATM:
      return sunAtm(walk);
    case step.ATM_CLIP:
      return atmClip(walk);
    case step.ATM_LLC:
      return atmLlc(walk);
    case step.JUNIPER_ETHER:
      return juniperEther(walk);
    case step.JUNIPER_PPP:
      return juniperPpp(walk);
    case step.JUNIPER_FRAME_RELAY:
      return juniperFrameRelay(walk);
    case step.JUNIPER_CHDLC:
      return juniperChdlc(walk);
    case step.GRE:
      return gre(walk);
    case step.ERSPAN_2:
      return erspan2(walk);
    case step.ERSPAN_3:
      return erspan3(walk);
    case step.VXLAN:
      return vxlan(walk);
    case step.VXLAN_GPE:
      return vxlanGpe(walk);
    case step.NSH:
      return nsh(walk);
    case step.GENEVE:
      return geneve(walk);
    case step.GTP_U:
      return gtpU(walk);
    case step.L2TP:
      return l2tp(walk);
    case step.L2TP_IP:
      return l2tpIp(walk);
    case step.TEREDO:
      return teredo(walk);
    case step.CAPWAP:
      return capwap(walk);
    case step.ETHERIP:
      return etherIp(walk);
    case step.GUE:
      return gue(walk);
    case step.FOU:
      return fou(walk);
    case step.TZSP:
      return tzsp(walk);
    case step.MPLS_IN_UDP:
      return mplsInUdp(walk);
    case step.LISP:
      return lisp(walk);
    case step.AYIYA:
      return ayiya(walk);
    case step.GRE_IN_UDP:
      return greInUdp(walk);
    case step.ENC:
      return enc(walk);
    case step.ERF:
      return erf(walk);
    case step.CHDLC_DIRECTION:
      return chdlcWithDirection(walk);
    case step.FRAME_RELAY_DIRECTION:
      return frameRelayWithDirection(walk);
    default:
      return step.END;
  }
}
