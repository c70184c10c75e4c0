/**
 * What a flow keeps, in tables by row number. The hot row is one cache line, the only one that a packet of a plain IPv4 flow
 * touches; the cold row is another, touched when the flow begins and ends; the six row holds the rest of keys that do not
 * fit into the hot one, the fold row what earlier slices counted, the spill row counters that outgrew 32 bits.
 */
export const HOT_SHIFT = 4;
export const HOT = 1 << HOT_SHIFT;
export const COLD_SHIFT = 4;
export const COLD = 1 << COLD_SHIFT;
export const FOLD_SHIFT = 4;
export const FOLD = 1 << FOLD_SHIFT;
export const SIX_SHIFT = 3;
export const SIX = 1 << SIX_SHIFT;
export const SPILL_SHIFT = 3;
export const SPILL = 1 << SPILL_SHIFT;

// Hot row. "Low" and "high" are the key's two ends, in an order that both directions share.
/** Last words of both ends: an IPv4 address whole. */
export const LOW = 0;
export const HIGH = 1;
/** The low end's port in the high half. */
export const PORTS = 2;
/** As in `model/packet-key.ts`; zero in a free row. */
export const KIND = 3;
export const STATE = 4;
/** TCP flags of the open slice: low end's in bits 0..11, high end's in bits 16..27. */
export const SLICE_FLAGS = 5;
/** The second of event time (modulo 2^32) that the open slice belongs to and that the flow's last packet lies in. */
export const SECOND = 6;
/** The first second in which the record may be older than the active timeout. */
export const DUE_SECOND = 7;
/** Of the open slice, from the low and the high end; octets stay below 2^30, what is more goes to the spill row. */
export const SLICE_PACKETS = 8;
export const SLICE_OCTETS = 10;
export const SLICE_LAYER2 = 12;
/** Float64 (index `hot offset / 2 + ...`): the latest packet of the open slice, microseconds. */
export const SLICE_END_F64 = 7;

// Six row (only with `isWide`): the first three words of both ends, four words apart.
export const SIX_HIGH = 4;

// Cold row: what a flow's first packet brings.
/** Float64 (index `cold offset / 2 + ...`): first packet of the record and of the open slice. */
export const START_F64 = 0;
export const SLICE_START_F64 = 1;
export const HASH = 4;
export const FLOW_LAYERS = 5;
/** ICMP type and code in the low half, ipClassOfService in the high half. */
export const FLOW_ICMP_TOS = 6;
export const FLOW_INTERFACE = 7;
export const FLOW_VLAN = 8;
export const FLOW_SNI = 9;
/** The record's first DNS name and its type (low half); the slice's type (high half). */
export const FLOW_DNS = 10;
export const FLOW_DNS_TYPES = 11;
export const SLICE_DNS = 12;
/** Only with `WITH_MAC`: high halves of both MAC addresses in one word (low end's above), then the low words. */
export const MAC_HIGH_HALVES = 13;
export const MAC_LOW_WORDS = 14;

// Fold row: read and written only by flows of more than one slice (`FOLDED`, `LATE`).
/** Float64 (index `fold offset / 2 + ...`): the latest packet, where a late one opened the slice. */
export const LAST_F64 = 0;
/** Totals of the record so far without the open slice, from the low and the high end. */
export const PACKETS_F64 = 1;
export const OCTETS_F64 = 3;
export const LAYER2_F64 = 5;
export const TOTAL_FLAGS = 14;

// Spill row (only with `SPILLED`), doubles: what the open slice counted beside the hot row.
export const SPILLED_OCTETS = 0;
export const SPILLED_LAYER2 = 2;

/** Bits of `STATE`. The initiator is the key's high end. */
export const INITIATOR_HIGH = 1;
/** The low and the high end went on: carried data or TCP's ACK. */
export const WENT_ON = 2;
export const BOTH_WENT_ON = 6;
export const FIN_SEEN = 8;
export const BOTH_FIN_SEEN = 24;
/** TCP is over: a reset, or FIN from both ends. */
export const CLOSED = 32;
export const BEGAN_WITH_ANSWER = 64;
/** The flow's first slice has not left. */
export const FIRST_SLICE = 128;
/** No slice is open. */
export const NO_SLICE = 256;
export const FIRST_RECORD = 512;
/** A SYN-ACK came first: the other end opened the connection. */
export const OPENED_BY_OTHER = 1024;
export const SLICE_DNS_RESPONSE = 2048;
export const RECORD_DNS_RESPONSE = 4096;
export const WITH_OUTER = 8192;
export const WITH_MAC = 1 << 14;
export const LATE = 1 << 15;
/** The row's number stands in the list of open slices, in the queue of closed connections, in the expiry wheel. */
export const IN_OPEN_SLICES = 1 << 16;
export const IN_CLOSING = 1 << 17;
export const IN_WHEEL = 1 << 18;
/** The record's totals hold earlier slices; without it they hold nothing, whatever is written there. */
export const FOLDED = 1 << 19;
export const SPILLED = 1 << 20;
/** The record may be older than the active timeout: each packet is looked at. */
export const MAY_BE_DUE = 1 << 21;
/** The slice that left last still stands in the hot row: it is added to the totals only when another one opens. */
export const UNFOLDED = 1 << 22;
/** What survives when a row is freed and taken again: a row number leaves each list only when the list is walked. */
export const MEMBERSHIPS = IN_OPEN_SLICES | IN_CLOSING | IN_WHEEL;
/** A packet of a flow in one of these states leaves the fast path. */
export const ATTENTION = NO_SLICE | BEGAN_WITH_ANSWER | MAY_BE_DUE;
/** A flow in one of these states has more to be asked in a new second than whether it was silent. */
export const UNUSUAL = ATTENTION | CLOSED | LATE;

/** In the table's `timesUs`: the time of the packet that is metered, and the latest one. */
export const PACKET_TIME = 0;
export const LATEST_TIME = 1;
