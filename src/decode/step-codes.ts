/**
 * What a parser says comes next. Parsers do not call one another: `steps.ts` goes from step to step, so that depth and
 * length of a packet's stack are bounded in one place.
 */
export const END = 0;
/** An Ethernet frame from its destination address on. */
export const ETHERNET = 1;
/** What `Walk.type` says as an EtherType. */
export const ETHERTYPE = 2;
/** IEEE 802.2 LLC. */
export const LLC = 3;
/** An IP header of the version in its first four bits. */
export const IP = 4;
export const IPV6 = 5;
/** What `Walk.type` says as an IP protocol, behind an IP header and all its options. */
export const TRANSPORT = 6;
export const VLAN_TAG = 7;
export const ARP = 8;
export const SLL = 9;
export const SLL2 = 10;
export const NULL_LOOPBACK = 11;
export const MPLS = 12;
export const PPPOE = 13;
/** A PPP frame, with or without address and control. */
export const PPP = 14;
export const CHDLC = 15;
export const FRAME_RELAY = 16;
export const NFLOG = 17;
export const WLAN = 18;
export const RADIOTAP = 19;
export const PPI = 20;
export const PRISM = 21;
export const AVS = 22;
export const SLIP = 23;
export const FDDI = 24;
export const TOKEN_RING = 25;
export const IEEE1394 = 26;
export const ARCNET = 27;
export const ARCNET_LINUX = 28;
export const DSA = 29;
export const EDSA = 30;
export const BRCM = 31;
export const BRCM_PREPEND = 32;
export const PBB = 33;
export const SUNATM = 34;
export const JUNIPER = 35;
export const GRE = 36;
export const VXLAN = 37;
export const VXLAN_GPE = 38;
export const GENEVE = 39;
export const GTP_U = 40;
export const L2TP = 41;
export const TEREDO = 42;
export const CAPWAP = 43;
export const NSH = 44;
export const ETHERIP = 45;
export const PSEUDOWIRE = 46;
export const PKTAP = 47;
export const IPNET = 48;
export const IPOIB = 49;
export const ISL = 50;
export const PFLOG = 51;
export const MPLS_UDP = 52;
export const L2TP_IP = 53;
export const GUE = 54;
export const CAPWAP_WLAN = 55;
export const TZSP = 56;
export const ERSPAN_2 = 57;
export const ERSPAN_3 = 58;
export const PPP_PROTOCOL = 59;
export const PPP_HDLC = 60;
export const RAW_PROTOCOL = 61;
/** IPv6 extension headers, or the transport header when there are none. */
export const EXTENSIONS = 62;
/** An Ethernet frame behind an IP header (RFC 8986, protocol 143). */
export const RAW_ETHERNET = ETHERNET;
