/**
 * What a parser says comes next. Parsers do not call one another: `steps.ts` goes from step to step, so that depth and
 * length of a packet's stack are bounded in one place.
 */
/** The packet is read as far as it goes. */
export const END = 0;
/** An Ethernet frame from its destination address on. */
export const ETHERNET = 1;
/** What `Walk.type` says as an EtherType. */
export const ETHERTYPE = 2;
export const LLC = 3;
/** An IP header of the version in its first four bits. */
export const IP = 4;
export const IPV6 = 5;
/** IPv6 extension headers, or the transport header when there are none. */
export const EXTENSIONS = 6;
/** What `Walk.type` says as an IP protocol, behind an IP header and all its options. */
export const TRANSPORT = 7;
export const ARP = 8;
export const VLAN_TAG = 9;
export const PLAIN_TAG = 10;
export const MACSEC = 11;
export const PBB = 12;
export const FABRIC_PATH = 13;
export const TRILL = 14;
export const ISL = 15;
export const MPLS = 16;
export const PPPOE = 17;
/** A PPP frame, with or without address and control. */
export const PPP = 18;
export const PPP_PROTOCOL = 19;
export const PPP_HDLC = 20;
export const PPP_DIRECTION = 21;
export const CHDLC = 22;
export const FRAME_RELAY = 23;
export const SLL = 24;
export const SLL2 = 25;
export const NULL_LOOPBACK = 26;
export const NFLOG = 27;
export const WLAN = 28;
export const CAPWAP_WLAN = 29;
export const RADIOTAP = 30;
export const PRISM_OR_AVS = 31;
export const PPI = 32;
export const PKTAP = 33;
export const SLIP = 34;
export const IPNET = 35;
export const IPOIB = 36;
export const PFLOG = 37;
export const FDDI = 38;
export const TOKEN_RING = 39;
export const IEEE1394 = 40;
export const ARCNET = 41;
export const ARCNET_LINUX = 42;
export const DSA = 43;
export const EDSA = 44;
export const BRCM = 45;
export const BRCM_PREPEND = 46;
export const SUNATM = 47;
export const ATM_CLIP = 48;
export const ATM_LLC = 49;
export const JUNIPER_ETHER = 50;
export const JUNIPER_PPP = 51;
export const JUNIPER_FRAME_RELAY = 52;
export const JUNIPER_CHDLC = 53;
export const GRE = 54;
export const ERSPAN_2 = 55;
export const ERSPAN_3 = 56;
export const VXLAN = 57;
export const VXLAN_GPE = 58;
export const NSH = 59;
export const GENEVE = 60;
export const GTP_U = 61;
export const L2TP = 62;
export const L2TP_IP = 63;
export const TEREDO = 64;
export const CAPWAP = 65;
export const ETHERIP = 66;
export const GUE = 67;
export const TZSP = 68;
export const LISP = 69;
export const AYIYA = 70;
export const GRE_IN_UDP = 71;
export const ENC = 72;
export const ERF = 73;
export const CHDLC_DIRECTION = 74;
export const FRAME_RELAY_DIRECTION = 75;
export const MPLS_IN_UDP = 76;
export const FOU = 77;
