import { communityText } from './community-id.ts';
import {
  BIFLOW,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  IS_ARP,
  NO_LAYER2,
  NO_OCTETS,
  NO_PACKETS,
  NO_PROTOCOL,
  OPENED_BY_DESTINATION,
} from './flow-batch.ts';
import { digestOf, FlowDigests } from './flow-digests.ts';
import { CsvSink, type FieldSink, type FlowObject, ObjectSink } from './flow-fields.ts';
import { FlowLines } from './flow-lines.ts';
import { JsonSink } from './json-sink.ts';
import type { Names } from './names.ts';
import { relativeError } from './sampling-error.ts';
import { TextCache } from './text-cache.ts';

const TCP = 6;

/** Flow records as text or objects. Holds caches, so one is made an output. */
export class FlowFormatter {
  readonly #names: Names;
  readonly #texts = new TextCache();
  readonly #json = new JsonSink();
  readonly #lines: FlowLines;
  readonly #digests = new FlowDigests();

  constructor(names: Names) {
    this.#names = names;
    this.#lines = new FlowLines(names, this.#json.out);
  }

  /** Row `n` as one line of JSON without its end. */
  json(batch: FlowBatch, n: number, file?: string): string {
    this.#line(batch, n, file, digestOf(batch, n));
    return this.takeLines().toString('utf8').trimEnd();
  }

  /** Adds all rows as lines of JSON to those that `takeLines` gives. `full` is called whenever `most` bytes wait. */
  jsonLines(batch: FlowBatch, file: string | undefined, most: number, full: () => void): void {
    const { out } = this.#json;
    for (let n = 0; n < batch.length; n++) {
      this.#line(batch, n, file, this.#digests.next(batch, n));
      if (out.length >= most) full();
    }
  }

  #line(batch: FlowBatch, n: number, file: string | undefined, digest: Int32Array): void {
    if (this.#lines.takes(batch, n)) this.#lines.line(batch, n, file, digest);
    else this.#anyLine(batch, n, file);
  }

  #anyLine(batch: FlowBatch, n: number, file: string | undefined): void {
    this.#json.begin();
    this.#tell(batch, n, file, this.#json);
    this.#json.end();
  }

  /** The lines since the last call: a view that the next line overwrites. */
  takeLines(): Buffer {
    const { written } = this.#json.out;
    this.#json.out.clear();
    return written;
  }

  /** Row `n` as an object: the same fields in the same order. */
  object(batch: FlowBatch, n: number, file?: string): FlowObject {
    const sink = new ObjectSink(this.#texts);
    this.#tell(batch, n, file, sink);
    return sink.flow as unknown as FlowObject;
  }

  /** Row `n` as a CSV line (RFC 4180) under `FLOW_COLUMNS`: what is absent is empty, layers are joined by blanks. */
  csv(batch: FlowBatch, n: number, file?: string): string {
    const sink = new CsvSink(this.#texts);
    this.#tell(batch, n, file, sink);
    return sink.cells.join(',');
  }

  /** Tells row `n` to a sink of another form. */
  tell(batch: FlowBatch, n: number, file: string | undefined, sink: FieldSink): void {
    this.#tell(batch, n, file, sink);
  }

  /** A connection that is known only from its SYN-ACK on is turned round: its destination opened it. */
  #tell(batch: FlowBatch, n: number, file: string | undefined, sink: FieldSink): void {
    const turned = (batch.meta[n] & OPENED_BY_DESTINATION) !== 0;
    if (file !== undefined) sink.text('file', file);
    this.#tellTimes(batch, n, sink);
    this.#tellEnds(batch, n, turned, sink);
    tellCounts(batch, n, turned, sink);
    tellAttributes(batch, n, turned, sink);
    if ((batch.meta[n] & (HAS_IP | NO_PROTOCOL)) === HAS_IP) sink.communityId(digestOf(batch, n));
    this.#tellOrigin(batch, n, sink);
    this.#tellStack(batch, n, turned, sink);
    this.#tellMacs(batch, n, turned, sink);
    this.#tellKnowledge(batch, n, sink);
    if (batch.samplingInterval[n] > 1) tellError(batch, n, sink);
  }

  /** Time 0 stands for "no time was given". */
  #tellTimes(batch: FlowBatch, n: number, sink: FieldSink): void {
    if (batch.endUs[n] === 0) return;
    sink.time('flowStart', batch.startUs[n]);
    sink.time('flowEnd', batch.endUs[n]);
  }

  #tellEnds(batch: FlowBatch, n: number, turned: boolean, sink: FieldSink): void {
    const meta = batch.meta[n];
    const source = turned ? batch.destinationAddress : batch.sourceAddress;
    const destination = turned ? batch.sourceAddress : batch.destinationAddress;
    if ((meta & (HAS_IP | IS_ARP)) !== 0) {
      sink.address('sourceAddress', source, 4 * n);
      sink.address('destinationAddress', destination, 4 * n);
    }
    if ((meta & HAS_PORTS) !== 0) {
      const from = batch.sourceTransportPort[n];
      const to = batch.destinationTransportPort[n];
      sink.number('sourceTransportPort', turned ? to : from);
      sink.number('destinationTransportPort', turned ? from : to);
    }
    if ((meta & (HAS_IP | NO_PROTOCOL)) === HAS_IP) sink.number('protocolIdentifier', batch.protocolIdentifier[n]);
    if ((meta & HAS_ICMP) === 0) return;
    sink.number('icmpType', batch.icmpTypeCode[n] >>> 8);
    sink.number('icmpCode', batch.icmpTypeCode[n] & 255);
  }

  /** What an exporter is and how it sampled: rows from packets have none. */
  #tellOrigin(batch: FlowBatch, n: number, sink: FieldSink): void {
    if (batch.exporter[n] === 0) return;
    sink.text('exporter', this.#names.exporters.text(batch.exporter[n]));
    sink.number('observationDomainId', batch.observationDomainId[n]);
    if (batch.samplingInterval[n] === 0) sink.unknown('samplingInterval');
    else sink.number('samplingInterval', batch.samplingInterval[n]);
  }

  #tellStack(batch: FlowBatch, n: number, turned: boolean, sink: FieldSink): void {
    if (batch.layers[n] !== 0) sink.layers(batch.layers[n], this.#names.layers.text(batch.layers[n]));
    if ((batch.meta[n] & HAS_OUTER) === 0) return;
    const source = turned ? batch.outerDestinationAddress : batch.outerSourceAddress;
    const destination = turned ? batch.outerSourceAddress : batch.outerDestinationAddress;
    sink.address('outerSourceAddress', source, 4 * n);
    sink.address('outerDestinationAddress', destination, 4 * n);
  }

  #tellMacs(batch: FlowBatch, n: number, turned: boolean, sink: FieldSink): void {
    const from = batch.sourceMacAddress[n];
    const to = batch.destinationMacAddress[n];
    const source = turned ? to : from;
    const destination = turned ? from : to;
    if (source >= 0) sink.mac('sourceMacAddress', source);
    if (destination >= 0) sink.mac('destinationMacAddress', destination);
  }

  #tellKnowledge(batch: FlowBatch, n: number, sink: FieldSink): void {
    // Half of all AS numbers look negative in 32 bits.
    if (batch.sourceAs[n] !== -1) sink.number('bgpSourceAsNumber', batch.sourceAs[n] >>> 0);
    if (batch.destinationAs[n] !== -1) sink.number('bgpDestinationAsNumber', batch.destinationAs[n] >>> 0);
    if (batch.dnsName[n] !== 0) {
      sink.text('dnsQueryName', this.#names.names.text(batch.dnsName[n]));
      sink.number('dnsQueryType', batch.dnsType[n]);
    }
    if (batch.sni[n] !== 0) sink.text('tlsServerName', this.#names.names.text(batch.sni[n]));
  }
}

function tellError(batch: FlowBatch, n: number, sink: FieldSink): void {
  const samples = (batch.packetDeltaCount[n] + batch.reversePacketDeltaCount[n]) / batch.samplingInterval[n];
  if ((batch.meta[n] & NO_PACKETS) === 0) sink.number('relativeError', relativeError(samples));
}

function tellCounts(batch: FlowBatch, n: number, turned: boolean, sink: FieldSink): void {
  const packets = batch.packetDeltaCount[n];
  const reversePackets = batch.reversePacketDeltaCount[n];
  const octets = batch.octetDeltaCount[n];
  const reverseOctets = batch.reverseOctetDeltaCount[n];
  const layer2 = batch.layer2OctetDeltaCount[n];
  const reverseLayer2 = batch.reverseLayer2OctetDeltaCount[n];
  const meta = batch.meta[n];
  const hasPackets = (meta & NO_PACKETS) === 0;
  const hasOctets = (meta & NO_OCTETS) === 0;
  const hasLayer2 = (meta & NO_LAYER2) === 0;
  if (hasPackets) sink.number('packetDeltaCount', turned ? reversePackets : packets);
  if (hasOctets) sink.number('octetDeltaCount', turned ? reverseOctets : octets);
  if (hasLayer2) sink.number('layer2OctetDeltaCount', turned ? reverseLayer2 : layer2);
  if ((meta & BIFLOW) === 0) return;
  if (hasPackets) sink.number('reversePacketDeltaCount', turned ? packets : reversePackets);
  if (hasOctets) sink.number('reverseOctetDeltaCount', turned ? octets : reverseOctets);
  if (hasLayer2) sink.number('reverseLayer2OctetDeltaCount', turned ? layer2 : reverseLayer2);
}

function tellAttributes(batch: FlowBatch, n: number, turned: boolean, sink: FieldSink): void {
  const meta = batch.meta[n];
  if ((meta & HAS_IP) !== 0 && batch.protocolIdentifier[n] === TCP) {
    const flags = batch.tcpControlBits[n];
    const reverse = batch.reverseTcpControlBits[n];
    sink.number('tcpControlBits', turned ? reverse : flags);
    if ((meta & BIFLOW) !== 0) sink.number('reverseTcpControlBits', turned ? flags : reverse);
  }
  if (batch.vlanId[n] >= 0) sink.number('vlanId', batch.vlanId[n]);
  if (batch.ingressInterface[n] >= 0) sink.number('ingressInterface', batch.ingressInterface[n]);
  if (batch.egressInterface[n] >= 0) sink.number('egressInterface', batch.egressInterface[n]);
  if ((meta & HAS_IP) !== 0) sink.number('ipClassOfService', batch.ipClassOfService[n]);
  if (batch.flowEndReason[n] !== 0) sink.number('flowEndReason', batch.flowEndReason[n]);
}

/** Community ID of row `n`, which has IP addresses. */
export function communityIdOf(batch: FlowBatch, n: number): string {
  return communityText(digestOf(batch, n));
}
