import { Metrics } from '../../src/core/metrics.ts';
import { Meter, type MeterOptions } from '../../src/meter/meter.ts';
import { formatAddress } from '../../src/model/address.ts';
import type * as F from '../../src/model/flow-batch.ts';
import { type Packet, rowsOf } from './packets.ts';

/** A row of a batch with the names that tests look at. */
export interface FlowRow {
  src: string;
  dst: string;
  sport: number;
  dport: number;
  proto: number;
  start: number;
  end: number;
  packets: number;
  reversePackets: number;
  bytes: number;
  reverseBytes: number;
  wire: number;
  reverseWire: number;
  flags: number;
  reverseFlags: number;
  reason: number;
  meta: number;
  vlan: number;
  dns: number;
  dnsType: number;
  sni: number;
  icmp: number;
  tos: number;
  macs: [number, number];
  outer: [string, string];
}

export function readBatch(batch: F.FlowBatch, into: FlowRow[]): void {
  for (let n = 0; n < batch.length; n++) into.push(readRow(batch, n));
}

function readRow(batch: F.FlowBatch, n: number): FlowRow {
  return {
    src: formatAddress(batch.sourceAddress, 4 * n),
    dst: formatAddress(batch.destinationAddress, 4 * n),
    sport: batch.sourceTransportPort[n],
    dport: batch.destinationTransportPort[n],
    proto: batch.protocolIdentifier[n],
    start: batch.startUs[n] / 1e6,
    end: batch.endUs[n] / 1e6,
    packets: batch.packetDeltaCount[n],
    reversePackets: batch.reversePacketDeltaCount[n],
    bytes: batch.octetDeltaCount[n],
    reverseBytes: batch.reverseOctetDeltaCount[n],
    wire: batch.layer2OctetDeltaCount[n],
    reverseWire: batch.reverseLayer2OctetDeltaCount[n],
    flags: batch.tcpControlBits[n],
    reverseFlags: batch.reverseTcpControlBits[n],
    reason: batch.flowEndReason[n],
    meta: batch.meta[n],
    vlan: batch.vlanId[n],
    dns: batch.dnsName[n],
    dnsType: batch.dnsType[n],
    sni: batch.sni[n],
    icmp: batch.icmpTypeCode[n],
    tos: batch.ipClassOfService[n],
    macs: [batch.sourceMacAddress[n], batch.destinationMacAddress[n]],
    outer: [formatAddress(batch.outerSourceAddress, 4 * n), formatAddress(batch.outerDestinationAddress, 4 * n)],
  };
}

export interface Metered {
  meter: Meter;
  metrics: Metrics;
  slices: FlowRow[];
  records: FlowRow[];
  add(packets: readonly Packet[]): void;
}

/** A meter whose output is kept. */
export function startMeter(options: MeterOptions = {}): Metered {
  const metrics = new Metrics();
  const slices: FlowRow[] = [];
  const records: FlowRow[] = [];
  const meter = new Meter(options, {
    metrics,
    onSlices: (batch) => readBatch(batch, slices),
    onRecords: (batch) => readBatch(batch, records),
  });
  return { meter, metrics, slices, records, add: (packets) => meter.add(rowsOf(packets)) };
}

/** Meters packets to the end of input. */
export function meterAll(packets: readonly Packet[], options: MeterOptions = {}): Metered {
  const metered = startMeter(options);
  metered.add(packets);
  metered.meter.end();
  return metered;
}

export const has = (row: FlowRow, bit: number): boolean => (row.meta & bit) !== 0;
