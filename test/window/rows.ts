import { formatAddress, parseAddress } from '../../src/model/address.ts';
import {
  BIFLOW,
  createFlowBatch,
  ESTABLISHED,
  FIRST,
  type FlowBatch,
  HAS_IP,
  HAS_PORTS,
  INITIATOR_KNOWN,
  OPENED_BY_DESTINATION,
  UNASKED,
} from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';

/** A slice or a record as a test writes it. */
export interface Slice {
  startUs: number;
  endUs: number;
  src: string;
  dst: string;
  sport: number;
  dport: number;
  proto: number;
  packets: number;
  bytes: number;
  reversePackets: number;
  reverseBytes: number;
  flags: number;
  reverseFlags: number;
  meta: number;
  sampling: number;
  dnsName: string;
  exporter: string;
  inIf: number;
  outIf: number;
}

export const names = new Names();

export const BASE_US = 1_700_000_000e6;

export function slice(some: Partial<Slice> = {}): Slice {
  const startUs = some.startUs ?? BASE_US;
  return {
    startUs,
    endUs: startUs,
    src: '198.51.100.1',
    dst: '192.0.2.1',
    sport: 40000,
    dport: 443,
    proto: 6,
    packets: 1,
    bytes: 60,
    reversePackets: 0,
    reverseBytes: 0,
    flags: 2,
    reverseFlags: 0,
    meta: HAS_IP | HAS_PORTS | BIFLOW | INITIATOR_KNOWN | FIRST,
    sampling: 1,
    dnsName: '',
    exporter: '',
    inIf: -1,
    outIf: -1,
    ...some,
  };
}

export function batchOf(slices: readonly Slice[]): FlowBatch {
  const batch = createFlowBatch(Math.max(1, slices.length));
  for (const each of slices) write(batch, each);
  return batch;
}

function write(batch: FlowBatch, s: Slice): void {
  const row = batch.length++;
  batch.clearRow(row);
  batch.startUs[row] = s.startUs;
  batch.endUs[row] = s.endUs;
  parseAddress(s.src, batch.sourceAddress, 4 * row);
  parseAddress(s.dst, batch.destinationAddress, 4 * row);
  batch.sourceTransportPort[row] = s.sport;
  batch.destinationTransportPort[row] = s.dport;
  batch.protocolIdentifier[row] = s.proto;
  batch.packetDeltaCount[row] = s.packets;
  batch.octetDeltaCount[row] = s.bytes;
  batch.reversePacketDeltaCount[row] = s.reversePackets;
  batch.reverseOctetDeltaCount[row] = s.reverseBytes;
  batch.tcpControlBits[row] = s.flags;
  batch.reverseTcpControlBits[row] = s.reverseFlags;
  batch.meta[row] = s.meta;
  batch.samplingInterval[row] = s.sampling;
  batch.dnsName[row] = names.names.intern(s.dnsName);
  batch.exporter[row] = names.exporters.intern(s.exporter);
  batch.ingressInterface[row] = s.inIf;
  batch.egressInterface[row] = s.outIf;
}

/** One direction of a slice, as rules see it, read without any of the engine's code. */
export interface Row {
  startUs: number;
  endUs: number;
  /** Absent fields are undefined. */
  fields: Record<string, number | string | undefined>;
  flows: number;
  packets: number;
  bytes: number;
  samples: number;
  long: boolean;
}

export function rowsOf(s: Slice): Row[] {
  const biflow = (s.meta & BIFLOW) !== 0;
  const opener = (s.meta & OPENED_BY_DESTINATION) !== 0 ? 1 : 0;
  const first = (s.meta & FIRST) !== 0;
  const rows: Row[] = [];
  for (const direction of biflow ? [0, 1] : [0]) {
    const flow = first && direction === opener;
    if ((direction === 0 ? s.packets : s.reversePackets) > 0 || flow) rows.push(rowOf(s, direction, flow, opener));
  }
  return rows;
}

function rowOf(s: Slice, direction: number, flow: boolean, opener: number): Row {
  const swap = direction === 1;
  const has = (bit: number) => (s.meta & bit) !== 0;
  const pick = <T>(a: T, b: T): T => (swap ? b : a);
  const packets = pick(s.packets, s.reversePackets);
  const bytes = pick(s.bytes, s.reverseBytes);
  const known = (value: number) => (value >= 0 ? value : undefined);
  return {
    startUs: s.startUs,
    endUs: s.endUs,
    flows: flow ? 1 : 0,
    packets,
    bytes,
    samples: s.sampling > 1 ? Math.round(packets / s.sampling) : packets,
    long: s.endUs - s.startUs >= 2e6 || (!has(BIFLOW) && s.endUs > s.startUs),
    fields: {
      'src.ip': has(HAS_IP) ? normal(pick(s.src, s.dst)) : undefined,
      'dst.ip': has(HAS_IP) ? normal(pick(s.dst, s.src)) : undefined,
      'src.port': has(HAS_PORTS) ? pick(s.sport, s.dport) : undefined,
      'dst.port': has(HAS_PORTS) ? pick(s.dport, s.sport) : undefined,
      proto: has(HAS_IP) ? s.proto : undefined,
      flags: s.proto === 6 ? pick(s.flags, s.reverseFlags) : undefined,
      'reverse.flags': s.proto === 6 && has(BIFLOW) ? pick(s.reverseFlags, s.flags) : undefined,
      packets,
      bytes,
      bits: 8 * bytes,
      'reverse.packets': has(BIFLOW) ? pick(s.reversePackets, s.packets) : undefined,
      'reverse.bytes': has(BIFLOW) ? pick(s.reverseBytes, s.bytes) : undefined,
      bpp: packets > 0 ? bytes / packets : undefined,
      duration: s.endUs - s.startUs,
      in_if: known(swap && s.outIf >= 0 ? s.outIf : s.inIf),
      exporter: s.exporter === '' ? undefined : s.exporter,
      'dns.name': s.dnsName === '' ? undefined : s.dnsName,
      'dns.length': s.dnsName === '' ? undefined : s.dnsName.length,
      first: has(FIRST) ? 1 : 0,
      initiator: has(INITIATOR_KNOWN) && direction === opener ? 1 : 0,
      established: has(ESTABLISHED) ? 1 : 0,
      unasked: has(UNASKED) ? 1 : 0,
      biflow: has(BIFLOW) ? 1 : 0,
    },
  };
}

export function normal(address: string): string {
  const words = new Int32Array(4);
  parseAddress(address, words);
  return formatAddress(words);
}
