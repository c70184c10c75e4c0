/**
 * A decoded packet is a row of `ROW` 32-bit words in one buffer. What the meter asks of each packet stands in front, so that
 * it touches few cache lines. The decoder fills rows that the caller owns; addresses follow `address.ts`.
 */
export const ROW = 48;
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
/** The flow's key (`packet-key.ts`): bits, hash, kind, and ports in the order of the key's ends. */
export const KEY_INFO = 13;
export const KEY_HASH = 14;
export const KEY_KIND = 15;
/** Float64 (word 16 and 17; index `row / 2 + TIME_F64`): event time in microseconds. */
export const TIME_F64 = 8;
export const KEY_PORTS = 18;
/** The meter's own: the flow's row in its table as far as the hash tells, -1 without one. */
export const KEY_CANDIDATE = 19;
/** Only with `IS_LEAN`: the packet's place in the batch that it was decoded from. */
export const PACKET = 20;

// What a lean row does not have.
/** VLAN id of the key (outermost tag), -1 without one. */
export const VLAN = 21;
export const INTERFACE = 22;
/** ICMP type in bits 8..15, code in bits 0..7; only with `HAS_ICMP`. */
export const ICMP = 23;
/** Id in `Names.layers`: the stack of headers from outside in. */
export const LAYERS = 24;
/** Ids in `Names.names`: DNS question name and TLS server name; 0 without. */
export const DNS_NAME = 25;
export const SNI = 26;
/** DNS question type of `DNS_NAME` (A 1, NULL 10, TXT 16, ...), 0 without. */
export const DNS_TYPE = 27;
/** ICMP and ICMPv6 echo-like identifier, or the ARP opcode with `IS_ARP`. */
export const IDENTIFIER = 28;
/** 4 words each; only with `HAS_OUTER`: the outermost IP addresses when a tunnel was opened. */
export const OUTER_SRC = 30;
export const OUTER_DST = 34;
/** 48-bit MAC addresses: high 16 bits, then low 32 bits; only with `HAS_MAC`. */
export const SRC_MAC = 38;
export const DST_MAC = 40;
/** A DNS answer's first address for `DNS_NAME` is in no row: the decoder keeps the join address -> last name. */

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

/**
 * The row has what the meter asks of each packet: ports, `META` but for its bits on what is inside, bytes, flags, time, key, of
 * addresses the last words, with IPv6 all, and a DNS name where there is one.
 */
export const IS_LEAN = 1 << 21;

/** Completes rows, as long as the batch that they were decoded from is valid. */
export interface RowSource {
  /** Writes what the meter asks of a flow's first packet: MAC addresses, VLAN, interface, class of service, ICMP, layers. */
  complete(words: Int32Array, r: number): void;
}

/** A buffer of decoded packets: its own, or from byte `start` on one that it is given (shared with another thread). */
export class PacketRows {
  readonly capacity: number;
  length = 0;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** Whoever decodes may leave rows lean: nobody but a meter reads them, before the batch changes. */
  lean = false;
  /** Set by the meter: keys are wanted, hashed with this seed. NaN: none are. */
  wantedSeed = Number.NaN;
  /** Set by whoever decoded: the seed of the keys in the rows, NaN when they have none. */
  keySeed = Number.NaN;
  source: RowSource | null = null;

  constructor(capacity = 256, buffer: ArrayBufferLike = new ArrayBuffer(4 * ROW * capacity), start = 0) {
    this.capacity = capacity;
    this.words = new Int32Array(buffer, start, capacity * ROW);
    this.doubles = new Float64Array(buffer, start, (capacity * ROW) >> 1);
  }
}
