/**
 * What a flow keeps. A flow is a hot row of 32 words (two cache lines, touched by each packet) and a cold row of 32
 * words (touched when it opens, turns a slice or leaves).
 */
export const FLOW_SHIFT = 5;
export const FLOW = 1 << FLOW_SHIFT;

// Hot row. Words of the key; "low" and "high" are the key's two ends, in an order that both directions share.
export const LOW = 0;
export const HIGH = 4;
/** The low end's port in the high half. */
export const KEY_PORTS = 8;
/** Zero in a free row. */
export const KIND = 9;
export const PLACE = 10;
export const STATE = 11;
/** Float64 of the row (index `row offset / 2 + ...`): the record's first packet, microseconds. */
export const START_F64 = 6;
/** The second of event time that the open slice belongs to, and the second of the flow's last packet. */
export const SECOND = 14;
/** TCP flags of the open slice: low end's in bits 0..11, high end's in bits 16..27. */
export const SLICE_FLAGS = 15;
/** Packets of the open slice from the low and the high end; then octets and layer 2 octets as doubles. */
export const SLICE_PACKETS = 16;
export const SLICE_OCTETS_F64 = 9;
export const SLICE_LAYER2_F64 = 11;
/** First and last packet of the open slice. */
export const SLICE_START_F64 = 13;
export const SLICE_END_F64 = 14;
/** The next row in the same list of the expiry wheel. */
export const NEXT = 30;
export const SLICE_DNS = 31;

// Cold row, first line: read and written only by flows of more than one slice (`FOLDED`).
/** Totals of the record so far without the open slice, from the low and the high end. */
export const PACKETS_F64 = 0;
export const OCTETS_F64 = 2;
export const LAYER2_F64 = 4;
/** The latest packet, where a late one opened the slice (`LATE`). */
export const LAST_F64 = 6;
export const TOTAL_FLAGS = 14;

// Cold row, second line: what a flow's first packet brings.
export const HASH = 16;
export const FLOW_LAYERS = 17;
export const FLOW_SNI = 18;
/** The record's first DNS name and its type (low half); the slice's type (high half). */
export const FLOW_DNS = 19;
export const FLOW_DNS_TYPES = 20;
/** ICMP type and code in the low half, ipClassOfService in the high half: of the first packet. */
export const FLOW_ICMP_TOS = 21;
export const FLOW_INTERFACE = 22;
export const FLOW_VLAN = 23;
/** Only with `WITH_MAC`: high halves of both MAC addresses in one word (low end's above), then the low words. */
export const MAC_HIGH_HALVES = 24;
export const MAC_LOW_WORDS = 25;

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
/** The record's totals hold earlier slices; without it they hold nothing, whatever is written there. */
export const FOLDED = 1 << 19;
/** The row's number stands in the list of open slices, in the queue of closed connections, in the expiry wheel. */
export const IN_OPEN_SLICES = 1 << 16;
export const IN_CLOSING = 1 << 17;
export const IN_WHEEL = 1 << 18;
/** What survives when a row is freed and taken again: a row number leaves each list only when the list is walked. */
export const MEMBERSHIPS = IN_OPEN_SLICES | IN_CLOSING | IN_WHEEL;
/** A packet of a flow in one of these states leaves the fast path. */
export const ATTENTION = NO_SLICE | BEGAN_WITH_ANSWER;
