/**
 * A decoded packet is a row of `ROW` 32-bit words in one buffer, so that the meter touches few cache lines a packet.
 * The decoder fills rows that the caller owns; addresses follow `address.ts`.
 */
export const ROW = 40;
/** 4 words each; only with `HAS_IP`. */
export const SRC = 0;
export const DST = 4;
/** Source port in the high half, destination port in the low half; only with `HAS_PORTS`. */
export const PORTS = 8;
/** IP protocol in the low byte (only with `HAS_IP`), and the bits below. */
export const META = 9;
/** `octetDeltaCount` of the packet: bytes of the innermost IP packet, unsigned. */
export const IP_BYTES = 10;
/** `layer2OctetDeltaCount`: the record's original length, unsigned. */
export const WIRE_BYTES = 11;
/** TCP flags as in the header (IANA tcpControlBits, 12 bits) in the low half, ipClassOfService in bits 16..23. */
export const FLAGS = 12;
/** VLAN id of the key (outermost tag), -1 without one. */
export const VLAN = 13;
export const INTERFACE = 14;
/** ICMP type in bits 8..15, code in bits 0..7; only with `HAS_ICMP`. */
export const ICMP = 15;
/** Float64 (word 16 and 17; index `row / 2 + TIME_F64`): event time in microseconds. */
export const TIME_F64 = 8;
/** Id in `Names.layers`: the stack of headers from outside in. */
export const LAYERS = 18;
/** Ids in `Names.names`: DNS question name and TLS server name; 0 without. */
export const DNS_NAME = 19;
export const SNI = 20;
/** 4 words each; only with `HAS_OUTER`: the outermost IP addresses when a tunnel was opened. */
export const OUTER_SRC = 22;
export const OUTER_DST = 26;
/** 48-bit MAC addresses: high 16 bits, then low 32 bits; only with `HAS_MAC`. */
export const SRC_MAC = 30;
export const DST_MAC = 32;
/** A DNS answer's first address for `DNS_NAME` is in no row: the decoder keeps the join address -> last name. */
/** ICMP and ICMPv6 echo-like identifier, or the ARP opcode with `IS_ARP`. */
export const IDENTIFIER = 34;
/** DNS question type of `DNS_NAME` (A 1, NULL 10, TXT 16, ...), 0 without. */
export const DNS_TYPE = 35;

/** The meter's own words, which it writes when it finds the packet's flow. */
export const KEY_INFO = 21;
export const KEY_HASH = 36;
export const KEY_KIND = 37;
/** Ports in the order of the key's ends. */
export const KEY_PORTS = 38;
/** The flow's row in the meter's table as far as the hash tells, -1 without one. */
export const KEY_CANDIDATE = 39;

/** Bits of `META` above the protocol. */
export const HAS_IP = 1 << 8;
export const HAS_PORTS = 1 << 9;
export const HAS_ICMP = 1 << 10;
export const HAS_OUTER = 1 << 11;
export const HAS_MAC = 1 << 12;
/** The packet is by itself an answer: DNS response, ICMP reply or error, UDP from a service port to a high one. */
export const IS_ANSWER = 1 << 13;
/** ICMP error: belongs to its sender and receiver, never pairs with a request. */
export const IS_ICMP_ERROR = 1 << 14;
/** ARP: `SRC`/`DST` hold sender and target protocol address (IPv4), but the row has no protocol and `HAS_IP` is off. */
export const IS_ARP = 1 << 15;
/** A fragment after the first. */
export const IS_LATER_FRAGMENT = 1 << 16;
/** A DNS response (not a question). */
export const IS_DNS_RESPONSE = 1 << 17;
/** The transport header was there and whole enough for `FLAGS`. */
export const HAS_TRANSPORT = 1 << 18;
/** The innermost IP header is IPv6. */
export const IS_IPV6 = 1 << 19;
/** The packet carried transport payload (bytes after the TCP or UDP header, by the IP length). */
export const HAS_PAYLOAD = 1 << 20;

/** A buffer of decoded packets: its own, or one that it is given (shared with another thread, with room for `capacity`). */
export class PacketRows {
  readonly capacity: number;
  length = 0;
  readonly words: Int32Array;
  readonly doubles: Float64Array;

  constructor(capacity = 256, buffer: ArrayBufferLike = new ArrayBuffer(4 * ROW * capacity)) {
    this.capacity = capacity;
    this.words = new Int32Array(buffer, 0, capacity * ROW);
    this.doubles = new Float64Array(buffer, 0, (capacity * ROW) >> 1);
  }
}
