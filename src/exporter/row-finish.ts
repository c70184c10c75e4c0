import { IPV4_WORD_2 } from '../model/address.ts';
import {
  BIFLOW,
  FIRST,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  INITIATOR_KNOWN,
  IS_IPV6,
  LAST,
} from '../model/flow-batch.ts';
import type { Context } from './context.ts';
import type { ExporterState } from './exporter-state.ts';
import { ABSOLUTE, BEFORE_EXPORT, NO_TIME, type TimeRule, UPTIME } from './row-choices.ts';
import type { RowScratch } from './row-columns.ts';
import { isUnset } from './row-copy.ts';
import type { RowPlan } from './row-plan.ts';
import { rateOf } from './sampling.ts';

const ICMP = 1;
const ICMP6 = 58;
/** Protocols that have ports also when both are zero: TCP, UDP, DCCP, SCTP, UDP-Lite. */
const WITH_PORTS = new Uint8Array(256);
for (const protocol of [6, 17, 33, 132, 136]) WITH_PORTS[protocol] = 1;
/** Firewall and NAT events that end a flow or refuse it; others announce what a later record counts (RFC 8158, NSEL). */
const CREATED = 1;
const TWO_32 = 2 ** 32;
/** Exporters round: a flow may seem to end a little after its export. */
const MOST_AHEAD_MS = 600_000;

/** Meaning, times and scale of rows `from` <= n < `to`, whose columns were copied from their records. */
export function finishRows(
  batch: FlowBatch,
  scratch: RowScratch,
  plan: RowPlan,
  context: Context,
  from: number,
  to: number,
): void {
  finishTimes(batch, scratch, plan, context, from, to);
  finishMeta(batch, scratch, plan, from, to);
  finishScale(batch, scratch, plan, context, from, to);
  batch.exporter.fill(context.exporterName, from, to);
  batch.observationDomainId.fill(context.domain.id, from, to);
}

function finishTimes(
  batch: FlowBatch,
  scratch: RowScratch,
  plan: RowPlan,
  context: Context,
  from: number,
  to: number,
): void {
  const { start, end, duration } = scratch;
  const { startUs, endUs } = batch;
  const { exportUs, uptimeMs } = context;
  if (plan.isUptimes && !plan.hasBoot && !Number.isNaN(uptimeMs)) {
    for (let n = from; n < to; n++) {
      startUs[n] = exportUs + sinceExport(start[n], uptimeMs) * 1000;
      endUs[n] = exportUs + sinceExport(end[n], uptimeMs) * 1000;
    }
    return;
  }
  if (plan.start.kind === UPTIME || plan.end.kind === UPTIME) uptimes(scratch, plan, context, from, to);
  for (let n = from; n < to; n++) {
    let first = timeUs(plan.start, start[n], exportUs);
    let last = timeUs(plan.end, end[n], exportUs);
    if (plan.durationUnit > 0) {
      const long = duration[n] * plan.durationUnit;
      // Nothing but its length: it ended when it was exported.
      if (first === 0 && last === 0) last = exportUs;
      if (first === 0) first = last - long;
      else if (last === 0) last = first + long;
    }
    if (last === 0) last = first === 0 ? exportUs : first;
    startUs[n] = first === 0 ? last : first;
    endUs[n] = last;
  }
}

function timeUs(rule: TimeRule, value: number, exportUs: number): number {
  if (value === 0 || rule.kind === NO_TIME) return 0;
  if (rule.kind === ABSOLUTE) return value * rule.unit;
  if (rule.kind === BEFORE_EXPORT) return exportUs - value;
  return value;
}

/**
 * Milliseconds of the exporter's uptime as event time. The difference to the header's uptime is taken modulo 2^32, so a
 * clock that wrapped between a flow and its export is right. Without an uptime in the header (IPFIX) the exporter may
 * have said when it started; else the flow is as long as it says and ended when it was exported.
 */
function uptimes(scratch: RowScratch, plan: RowPlan, context: Context, from: number, to: number): void {
  const { start, end, boot } = scratch;
  const { exportUs, uptimeMs } = context;
  for (let n = from; n < to; n++) {
    const bootUs = plan.hasBoot && boot[n] > 0 ? boot[n] * 1000 : context.domain.bootUs;
    const first = start[n];
    const last = plan.end.kind === UPTIME ? end[n] : first;
    // Without any clock the flow ended when it was exported.
    const atExport = Number.isNaN(uptimeMs) ? (bootUs > 0 ? (exportUs - bootUs) / 1000 : last) : uptimeMs;
    const firstUs = exportUs + sinceExport(first, atExport) * 1000;
    const lastUs = exportUs + sinceExport(last, atExport) * 1000;
    if (plan.start.kind === UPTIME) start[n] = firstUs;
    if (plan.end.kind === UPTIME) end[n] = lastUs;
  }
}

/** Milliseconds from the export to an uptime modulo 2^32: nothing ended long after it was exported. */
function sinceExport(uptimeMs: number, atExport: number): number {
  const ahead = (uptimeMs - atExport) >>> 0;
  return ahead > MOST_AHEAD_MS ? ahead - TWO_32 : ahead;
}

function finishMeta(batch: FlowBatch, scratch: RowScratch, plan: RowPlan, from: number, to: number): void {
  const { meta, protocolIdentifier, sourceTransportPort, destinationTransportPort } = batch;
  const common =
    LAST | FIRST | plan.absent | (plan.hasIp ? HAS_IP : 0) | (plan.isBiflow ? BIFLOW | INITIATOR_KNOWN : 0);
  for (let n = from; n < to; n++) {
    let bits = common;
    const protocol = protocolIdentifier[n];
    if (protocol === ICMP || protocol === ICMP6) {
      bits |= HAS_ICMP;
      finishIcmp(batch, scratch, plan, n);
    } else if (plan.hasPorts && (WITH_PORTS[protocol] | sourceTransportPort[n] | destinationTransportPort[n]) !== 0) {
      bits |= HAS_PORTS;
    }
    meta[n] = bits;
  }
  if (plan.mayBeIpv6) markIpv6(batch, from, to);
  if (plan.hasInner) markOuter(batch, from, to);
  if (plan.hasEvent) markEvents(batch, scratch, from, to);
  if (plan.hasVlan) clearNoVlan(batch, from, to);
}

function finishIcmp(
  { icmpTypeCode, destinationTransportPort }: FlowBatch,
  scratch: RowScratch,
  plan: RowPlan,
  n: number,
): void {
  if (plan.hasIcmp) icmpTypeCode[n] = (scratch.icmpType[n] << 8) | scratch.icmpCode[n];
  if (icmpTypeCode[n] === 0) icmpTypeCode[n] = destinationTransportPort[n];
}

function markIpv6({ meta, sourceAddress }: FlowBatch, from: number, to: number): void {
  for (let n = from, w = 4 * from; n < to; n++, w += 4) {
    if (sourceAddress[w] !== 0 || sourceAddress[w + 1] !== 0 || sourceAddress[w + 2] !== IPV4_WORD_2)
      meta[n] |= IS_IPV6;
  }
}

function markOuter({ meta, outerSourceAddress, outerDestinationAddress }: FlowBatch, from: number, to: number): void {
  for (let n = from, w = 4 * from; n < to; n++, w += 4) {
    if (!(isUnset(outerSourceAddress, w) && isUnset(outerDestinationAddress, w))) meta[n] |= HAS_OUTER;
  }
}

function markEvents({ meta }: FlowBatch, { event }: RowScratch, from: number, to: number): void {
  for (let n = from; n < to; n++) if (event[n] === CREATED) meta[n] &= ~FIRST;
}

/** VLAN 0 is no VLAN. */
function clearNoVlan({ vlanId }: FlowBatch, from: number, to: number): void {
  for (let n = from; n < to; n++) if (vlanId[n] === 0) vlanId[n] = -1;
}

function finishScale(
  batch: FlowBatch,
  scratch: RowScratch,
  plan: RowPlan,
  context: Context,
  from: number,
  to: number,
): void {
  const { samplingInterval } = batch;
  const { sampling } = context.domain;
  const known = context.exporter.overrideRate || context.headerRate;
  const mayVary = known === 0 && (plan.hasRate || plan.hasSampler);
  const rate = known || sampling.common || 1;
  if (!mayVary) samplingInterval.fill(rate, from, to);
  else {
    let unknown = 0;
    for (let n = from; n < to; n++) {
      const own = plan.hasRate ? ownRate(scratch, n) : 0;
      samplingInterval[n] = own || (plan.hasSampler ? sampling.of(scratch.sampler[n]) : rate);
      if (samplingInterval[n] === 0) unknown++;
    }
    if (unknown > 0) noteUnknown(context.exporter, unknown);
  }
  if (mayVary || rate !== 1) scaleRows(batch, from, to);
}

/** Records were sampled, and nobody knows how much. */
export function noteUnknown(exporter: ExporterState, records: number): void {
  exporter.unknownRate += records;
  exporter.samplingUnknown = true;
}

const hints = { interval: 0, space: -1, size: 0, population: 0, rate: 0, probability: 0 };

function ownRate(scratch: RowScratch, n: number): number {
  hints.interval = scratch.interval[n];
  hints.space = scratch.space[n];
  hints.size = scratch.size[n];
  hints.population = scratch.population[n];
  hints.rate = scratch.rate[n];
  return rateOf(hints);
}

/** Counts of sampled flows become estimates of all traffic; an unknown rate (0) leaves them as they are. */
export function scaleRows(batch: FlowBatch, from: number, to: number): void {
  const { samplingInterval } = batch;
  for (let n = from; n < to; n++) {
    const rate = samplingInterval[n];
    if (rate === 0 || rate === 1) continue;
    batch.packetDeltaCount[n] *= rate;
    batch.octetDeltaCount[n] *= rate;
    batch.layer2OctetDeltaCount[n] *= rate;
    batch.reversePacketDeltaCount[n] *= rate;
    batch.reverseOctetDeltaCount[n] *= rate;
    batch.reverseLayer2OctetDeltaCount[n] *= rate;
  }
}
