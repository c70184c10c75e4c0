import { NO_LAYER2, NO_OCTETS, NO_PACKETS, NO_PROTOCOL } from '../model/flow-batch.ts';
import { REVERSE_PEN } from './elements.ts';
import type { BatchColumn, ScratchColumn } from './row-columns.ts';

/** What the number of a time field counts. */
export const NO_TIME = 0;
export const ABSOLUTE = 1;
export const UPTIME = 2;
export const BEFORE_EXPORT = 3;

export interface TimeRule {
  kind: number;
  /** Microseconds a unit. */
  unit: number;
}

type Wanted = readonly (readonly [number, number])[];
const iana = (...ids: number[]): Wanted => ids.map((id) => [0, id] as const);
const reverse = (...ids: number[]): Wanted => ids.map((id) => [REVERSE_PEN, id] as const);

/**
 * Column, then lists of elements: the first list of which the template has any is used, its later elements where the
 * earlier are zero. Deltas come before totals, what came in before what went out (RFC 5102's post...), initiator's
 * (RFC 8158 and Cisco's NSEL) last.
 */
export const COUNTS: readonly (readonly [BatchColumn, readonly Wanted[]])[] = [
  ['octetDeltaCount', [iana(1, 23), iana(23), iana(231), iana(85, 171), iana(171)]],
  ['packetDeltaCount', [iana(2, 24), iana(24), iana(298), iana(86, 172), iana(172)]],
  ['layer2OctetDeltaCount', [iana(352), iana(353)]],
  ['reverseOctetDeltaCount', [reverse(1), iana(232), reverse(85)]],
  ['reversePacketDeltaCount', [reverse(2), iana(299), reverse(86)]],
  ['reverseLayer2OctetDeltaCount', [reverse(352), reverse(353)]],
  ['sourceMacAddress', [iana(56)]],
  ['destinationMacAddress', [iana(80)]],
  ['vlanId', [iana(58), iana(243)]],
  ['ingressInterface', [iana(10, 252), iana(252)]],
  ['egressInterface', [iana(14, 253), iana(253)]],
  ['sourceAs', [iana(16)]],
  ['destinationAs', [iana(17)]],
  ['tcpControlBits', [iana(6)]],
  ['reverseTcpControlBits', [reverse(6)]],
  ['icmpTypeCode', [iana(32, 139), iana(139)]],
  ['ipClassOfService', [iana(5)]],
  ['flowEndReason', [iana(136)]],
];
export const INITIATOR_OF = new Map([
  [232, 231],
  [299, 298],
]);
/** Of these the last in the record is the flow's own: the earlier belong to a tunnel around it. */
export const LAST_ONES: readonly (readonly [BatchColumn, number, readonly number[]])[] = [
  ['sourceTransportPort', 2, [7, 180, 182]],
  ['destinationTransportPort', 2, [11, 181, 183]],
  ['protocolIdentifier', 1, [4, 193]],
];
export const HINTS: readonly (readonly [ScratchColumn, readonly number[]])[] = [
  ['sampler', [48, 302]],
  ['interval', [305]],
  ['space', [306]],
  ['size', [309]],
  ['population', [310]],
  ['rate', [34, 50]],
  ['icmpType', [176, 178]],
  ['icmpCode', [177, 179]],
  ['event', [230, 233]],
  ['boot', [160]],
];

export interface TimeElement {
  id: number;
  rule: TimeRule;
  isNtp: boolean;
}
const time = (id: number, kind: number, unit: number, isNtp = false): TimeElement => ({
  id,
  rule: { kind, unit },
  isNtp,
});
const OBSERVED = [
  time(325, ABSOLUTE, 1, true),
  time(324, ABSOLUTE, 1, true),
  time(323, ABSOLUTE, 1e3),
  time(322, ABSOLUTE, 1e6),
];
/** The finest clock first; what was observed at one moment began and ended there. */
export const STARTS = [
  time(156, ABSOLUTE, 1, true),
  time(154, ABSOLUTE, 1, true),
  time(152, ABSOLUTE, 1e3),
  time(150, ABSOLUTE, 1e6),
  time(22, UPTIME, 1e3),
  time(158, BEFORE_EXPORT, 1),
  ...OBSERVED,
];
export const ENDS = [
  time(157, ABSOLUTE, 1, true),
  time(155, ABSOLUTE, 1, true),
  time(153, ABSOLUTE, 1e3),
  time(151, ABSOLUTE, 1e6),
  time(21, UPTIME, 1e3),
  time(159, BEFORE_EXPORT, 1),
  ...OBSERVED,
];
export const ABSENT: readonly (readonly [BatchColumn, number])[] = [
  ['packetDeltaCount', NO_PACKETS],
  ['octetDeltaCount', NO_OCTETS],
  ['layer2OctetDeltaCount', NO_LAYER2],
  ['protocolIdentifier', NO_PROTOCOL],
];
export const FRAME = 315;
export const IP_SECTION = 313;
export const FRAME_SIZE = 312;
