import { finish, hashText, mix } from '../core/hash.ts';
import {
  BIFLOW,
  createFlowBatch,
  ESTABLISHED,
  FIRST,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_PORTS,
  INITIATOR_KNOWN,
  IS_ARP,
  IS_DNS_RESPONSE,
  IS_ICMP_ERROR,
  IS_IPV6,
  LAST,
  UNASKED,
} from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import type { FlowLine, Side } from './flow-step.ts';

/** Event time of a test's `0s`: 2026-01-01T00:00:00Z, a Thursday. */
export const TEST_START_US = 1767225600e6;
/** Rows may come this much late when they are shuffled: less than the watermark's bound. */
const DISORDER_US = 1.5e6;
const CAPACITY = 8192;

export interface FlowRowsOptions {
  /** Same seed, same rows, to the last bit. */
  seed?: number;
  /** Arrival is out of order, within the watermark's bound. */
  shuffle?: boolean;
}

interface Step {
  line: FlowLine;
  lineIndex: number;
  /** Which step of the line, which flow of the step. */
  step: number;
  flow: number;
  timeUs: number;
  arrivalUs: number;
}

/**
 * The rows of a test's flow lines as slices in the order of time. A net gives its addresses one after another, a port
 * range its ports; the packets of a step are spread evenly over its flows.
 */
export function flowRows(lines: readonly FlowLine[], names: Names, options: FlowRowsOptions = {}): FlowBatch[] {
  const seed = options.seed ?? 1;
  const steps = lines.flatMap((line, i) => stepsOf(line, i, seed, options.shuffle ?? false));
  steps.sort((a, b) => a.arrivalUs - b.arrivalUs || a.lineIndex - b.lineIndex || a.flow - b.flow);
  const batches: FlowBatch[] = [];
  for (let from = 0; from < steps.length; from += CAPACITY) {
    const some = steps.slice(from, from + CAPACITY);
    const batch = createFlowBatch(some.length);
    for (const step of some) writeRow(batch, step, names);
    batches.push(batch);
  }
  return batches;
}

function stepsOf(line: FlowLine, lineIndex: number, seed: number, shuffle: boolean): Step[] {
  const steps: Step[] = [];
  const spanUs = Math.min(line.everyUs, 1e6);
  for (let step = 0, atUs = line.fromUs; atUs < line.toUs; step++, atUs += line.everyUs) {
    if (chance(lineIndex, step, 1, 13) >= line.chance) continue;
    const lateUs = Math.floor(chance(lineIndex, step, 0, 11) * line.jitter * line.everyUs);
    for (let flow = 0; flow < line.flows; flow++) {
      const withinUs = Math.floor((flow / line.flows) * spanUs);
      const timeUs = TEST_START_US + atUs + lateUs + withinUs;
      const delayUs = shuffle ? chance(lineIndex, step, flow, seed) * DISORDER_US : 0;
      steps.push({ line, lineIndex, step, flow, timeUs, arrivalUs: timeUs + delayUs });
    }
  }
  return steps;
}

/** 0..1 from three numbers and a seed, the same each time. */
function chance(a: number, b: number, c: number, seed: number): number {
  return (finish(mix(mix(mix(seed, a), b), c)) >>> 0) / 2 ** 32;
}

function writeRow(batch: FlowBatch, step: Step, names: Names): void {
  const { line, flow } = step;
  const row = batch.length++;
  batch.clearRow(row);
  const index = line.long ? flow : step.step * line.flows + flow;
  batch.startUs[row] = step.timeUs;
  batch.endUs[row] = step.timeUs;
  if (line.metric !== '') {
    writeMetric(batch, row, line, names);
    return;
  }
  batch.packetDeltaCount[row] = part(line.packets, line.flows, flow);
  batch.octetDeltaCount[row] = part(line.bytes, line.flows, flow);
  batch.reversePacketDeltaCount[row] = part(line.reversePackets, line.flows, flow);
  batch.reverseOctetDeltaCount[row] = part(line.reverseBytes, line.flows, flow);
  batch.layer2OctetDeltaCount[row] = batch.octetDeltaCount[row] + 14 * batch.packetDeltaCount[row];
  batch.reverseLayer2OctetDeltaCount[row] = batch.reverseOctetDeltaCount[row] + 14 * batch.reversePacketDeltaCount[row];
  batch.protocolIdentifier[row] = line.proto ?? 0;
  batch.tcpControlBits[row] = line.flags;
  batch.reverseTcpControlBits[row] = line.reverseFlags;
  batch.vlanId[row] = line.vlan;
  batch.ingressInterface[row] = line.inIf;
  batch.egressInterface[row] = line.outIf;
  batch.ipClassOfService[row] = line.tos;
  batch.dnsName[row] = names.names.intern(line.dnsName.replaceAll('%', hex(index)));
  batch.dnsType[row] = line.dnsName === '' ? 0 : line.dnsType;
  batch.sni[row] = names.names.intern(line.sni);
  batch.exporter[row] = names.exporters.intern(line.exporter);
  batch.layers[row] = names.layers.intern(line.proto === null ? 'eth arp' : 'eth ipv4');
  if (line.sourceMac !== '') batch.sourceMacAddress[row] = macOf(line.sourceMac, index);
  writeEnds(batch, row, step, index);
  batch.meta[row] = metaOf(step);
}

/** A row as weir's measurements of itself have it. */
export function writeMetric(
  batch: FlowBatch,
  row: number,
  { metric, label, value }: { metric: string; label: string; value: number },
  names: Names,
): void {
  batch.packetDeltaCount[row] = value;
  batch.sni[row] = names.names.intern(metric);
  batch.dnsName[row] = label === '' ? 0 : names.names.intern(label);
  batch.exporter[row] = names.exporters.intern('weir');
}

function macOf(text: string, index: number): number {
  const pair = (index & 0xffff).toString(16).padStart(4, '0');
  return Number.parseInt(text.replace('%', pair).replaceAll(':', ''), 16);
}

/** Whole numbers whose sum over all flows is the total. */
function part(total: number, flows: number, flow: number): number {
  return Math.floor(total / flows) + (flow < total % flows ? 1 : 0);
}

/** `%` in a DNS name is another text each flow. */
const hex = (index: number): string =>
  (hashText(`a${index}`) >>> 0).toString(16).padStart(8, '0') +
  (hashText(`b${index}`) >>> 0).toString(16).padStart(8, '0');

/** Sources run fastest, then destinations, so that a net against a net covers both. */
function writeEnds(batch: FlowBatch, row: number, { line }: Step, index: number): void {
  const sources = sizeOf(line.source);
  writeAddress(batch.sourceAddress, row, line.source, index % sources);
  const ports = line.destination.ports;
  const portCount = ports ? ports.to - ports.from + 1 : 1;
  const other = Math.floor(index / sources);
  const host = sources > 1 && sizeOf(line.destination) > 1 ? index : other;
  writeAddress(batch.destinationAddress, row, line.destination, host);
  batch.sourceTransportPort[row] = line.source.ports
    ? line.source.ports.from + (index % (line.source.ports.to - line.source.ports.from + 1))
    : 32768 + ((finish(mix(7, index)) >>> 0) % 28000);
  batch.destinationTransportPort[row] = ports ? ports.from + (index % portCount) : 9;
  if (line.proto === 1 || line.proto === 58) {
    batch.icmpTypeCode[row] = (line.icmpType << 8) | line.icmpCode;
    batch.sourceTransportPort[row] = 0;
    batch.destinationTransportPort[row] = 0;
  }
}

const sizeOf = ({ net }: Side): number => 2 ** Math.min(20, 128 - net.bits);

function writeAddress(words: Int32Array, row: number, side: Side, index: number): void {
  for (let i = 0; i < 4; i++) words[4 * row + i] = side.net.words[i];
  words[4 * row + 3] = (side.net.words[3] + (index % sizeOf(side))) | 0;
}

function metaOf({ line, step }: Step): number {
  const icmp = line.proto === 1 || line.proto === 58;
  const isIpv6 = line.source.net.words[0] !== 0 || line.source.net.words[2] !== 0xffff;
  let meta = line.proto === null ? IS_ARP : HAS_IP;
  if (icmp) meta |= HAS_ICMP;
  if ([6, 17, 132].includes(line.proto ?? 0) && !line.noPorts) meta |= HAS_PORTS;
  if (!line.long || step === 0) meta |= FIRST;
  if (!line.long) meta |= LAST;
  if (!line.oneway) meta |= BIFLOW | INITIATOR_KNOWN;
  if (line.established) meta |= ESTABLISHED;
  if (line.unasked) meta |= UNASKED;
  if (line.icmpError) meta |= IS_ICMP_ERROR;
  if (line.response) meta |= IS_DNS_RESPONSE;
  return isIpv6 ? meta | IS_IPV6 : meta;
}
