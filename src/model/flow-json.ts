import { formatUs } from '../core/time.ts';
import { formatAddress } from './address.ts';
import { communityId } from './community-id.ts';
import {
  BIFLOW,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  IS_ARP,
  OPENED_BY_DESTINATION,
} from './flow-batch.ts';
import type { Names } from './names.ts';

/** A flow record as `weir flows --json` prints it. What a record does not have is not there. */
export interface FlowObject {
  file?: string;
  flowStart?: string;
  flowEnd?: string;
  sourceAddress?: string;
  destinationAddress?: string;
  sourceTransportPort?: number;
  destinationTransportPort?: number;
  protocolIdentifier?: number;
  icmpType?: number;
  icmpCode?: number;
  packetDeltaCount: number;
  octetDeltaCount: number;
  layer2OctetDeltaCount: number;
  reversePacketDeltaCount?: number;
  reverseOctetDeltaCount?: number;
  reverseLayer2OctetDeltaCount?: number;
  tcpControlBits?: number;
  reverseTcpControlBits?: number;
  vlanId?: number;
  ingressInterface?: number;
  egressInterface?: number;
  ipClassOfService?: number;
  flowEndReason?: number;
  communityId?: string;
  exporter?: string;
  observationDomainId?: number;
  /** Null where the exporter sampled and nobody knows how much. */
  samplingInterval?: number | null;
  layers?: string[];
  outerSourceAddress?: string;
  outerDestinationAddress?: string;
  sourceMacAddress?: string;
  destinationMacAddress?: string;
  bgpSourceAsNumber?: number;
  bgpDestinationAsNumber?: number;
  dnsQueryName?: string;
  dnsQueryType?: number;
  tlsServerName?: string;
}

const TCP = 6;
/** Protocols whose ports are part of a Community ID. */
const WITH_PORTS = new Set([TCP, 17, 132]);

/**
 * Row `n` of a batch as an object, in the published order of fields. A connection that is known only from its
 * SYN-ACK on is turned round: its destination opened it.
 */
export function flowObject(batch: FlowBatch, n: number, names: Names, file?: string): FlowObject {
  const turned = (batch.meta[n] & OPENED_BY_DESTINATION) !== 0;
  return {
    ...(file === undefined ? undefined : { file }),
    ...times(batch, n),
    ...ends(batch, n, turned),
    ...counts(batch, n, turned),
    ...attributes(batch, n, turned),
    ...origin(batch, n, names),
    ...stack(batch, n, names, turned),
    ...knowledge(batch, n, names),
  };
}

/** Time 0 stands for "no time was given". */
function times(batch: FlowBatch, n: number): Partial<FlowObject> {
  if (batch.endUs[n] === 0) return {};
  return { flowStart: formatUs(batch.startUs[n]), flowEnd: formatUs(batch.endUs[n]) };
}

function ends(batch: FlowBatch, n: number, turned: boolean): Partial<FlowObject> {
  const meta = batch.meta[n];
  const row: Partial<FlowObject> = {};
  if ((meta & (HAS_IP | IS_ARP)) !== 0) {
    row.sourceAddress = formatAddress(turned ? batch.destinationAddress : batch.sourceAddress, 4 * n);
    row.destinationAddress = formatAddress(turned ? batch.sourceAddress : batch.destinationAddress, 4 * n);
  }
  if ((meta & HAS_PORTS) !== 0) {
    row.sourceTransportPort = turned ? batch.destinationTransportPort[n] : batch.sourceTransportPort[n];
    row.destinationTransportPort = turned ? batch.sourceTransportPort[n] : batch.destinationTransportPort[n];
  }
  if ((meta & HAS_IP) !== 0) row.protocolIdentifier = batch.protocolIdentifier[n];
  if ((meta & HAS_ICMP) !== 0) {
    row.icmpType = batch.icmpTypeCode[n] >>> 8;
    row.icmpCode = batch.icmpTypeCode[n] & 255;
  }
  return row;
}

function counts(
  batch: FlowBatch,
  n: number,
  turned: boolean,
): Pick<FlowObject, 'packetDeltaCount' | 'octetDeltaCount' | 'layer2OctetDeltaCount'> & Partial<FlowObject> {
  const forward = [batch.packetDeltaCount[n], batch.octetDeltaCount[n], batch.layer2OctetDeltaCount[n]];
  const reverse = [
    batch.reversePacketDeltaCount[n],
    batch.reverseOctetDeltaCount[n],
    batch.reverseLayer2OctetDeltaCount[n],
  ];
  const [packetDeltaCount, octetDeltaCount, layer2OctetDeltaCount] = turned ? reverse : forward;
  const row = { packetDeltaCount, octetDeltaCount, layer2OctetDeltaCount };
  if ((batch.meta[n] & BIFLOW) === 0) return row;
  const [packets, octets, layer2Octets] = turned ? forward : reverse;
  return {
    ...row,
    reversePacketDeltaCount: packets,
    reverseOctetDeltaCount: octets,
    reverseLayer2OctetDeltaCount: layer2Octets,
  };
}

function attributes(batch: FlowBatch, n: number, turned: boolean): Partial<FlowObject> {
  const meta = batch.meta[n];
  const row: Partial<FlowObject> = {};
  if ((meta & HAS_IP) !== 0 && batch.protocolIdentifier[n] === TCP) {
    row.tcpControlBits = turned ? batch.reverseTcpControlBits[n] : batch.tcpControlBits[n];
    if ((meta & BIFLOW) !== 0) {
      row.reverseTcpControlBits = turned ? batch.tcpControlBits[n] : batch.reverseTcpControlBits[n];
    }
  }
  if (batch.vlanId[n] >= 0) row.vlanId = batch.vlanId[n];
  if (batch.ingressInterface[n] >= 0) row.ingressInterface = batch.ingressInterface[n];
  if (batch.egressInterface[n] >= 0) row.egressInterface = batch.egressInterface[n];
  if ((meta & HAS_IP) !== 0) row.ipClassOfService = batch.ipClassOfService[n];
  if (batch.flowEndReason[n] !== 0) row.flowEndReason = batch.flowEndReason[n];
  if ((meta & HAS_IP) !== 0) row.communityId = communityIdOf(batch, n);
  return row;
}

/** Community ID of row `n`, which has IP addresses. */
export function communityIdOf(batch: FlowBatch, n: number): string {
  const protocol = batch.protocolIdentifier[n];
  const isIcmp = (batch.meta[n] & HAS_ICMP) !== 0;
  const hasPorts = (batch.meta[n] & HAS_PORTS) !== 0 && WITH_PORTS.has(protocol);
  return communityId(
    protocol,
    batch.sourceAddress,
    4 * n,
    batch.destinationAddress,
    4 * n,
    isIcmp ? batch.icmpTypeCode[n] >>> 8 : batch.sourceTransportPort[n],
    isIcmp ? batch.icmpTypeCode[n] & 255 : batch.destinationTransportPort[n],
    isIcmp || hasPorts,
  );
}

function origin(batch: FlowBatch, n: number, names: Names): Partial<FlowObject> {
  if (batch.exporter[n] === 0) return {};
  return {
    exporter: names.exporters.text(batch.exporter[n]),
    observationDomainId: batch.observationDomainId[n],
    samplingInterval: batch.samplingInterval[n] === 0 ? null : batch.samplingInterval[n],
  };
}

function stack(batch: FlowBatch, n: number, names: Names, turned: boolean): Partial<FlowObject> {
  const row: Partial<FlowObject> = {};
  if (batch.layers[n] !== 0) row.layers = names.layers.text(batch.layers[n]).split(' ');
  if ((batch.meta[n] & HAS_OUTER) === 0) return row;
  row.outerSourceAddress = formatAddress(turned ? batch.outerDestinationAddress : batch.outerSourceAddress, 4 * n);
  row.outerDestinationAddress = formatAddress(turned ? batch.outerSourceAddress : batch.outerDestinationAddress, 4 * n);
  return row;
}

function knowledge(batch: FlowBatch, n: number, names: Names): Partial<FlowObject> {
  const turned = (batch.meta[n] & OPENED_BY_DESTINATION) !== 0;
  const source = turned ? batch.destinationMacAddress[n] : batch.sourceMacAddress[n];
  const destination = turned ? batch.sourceMacAddress[n] : batch.destinationMacAddress[n];
  const row: Partial<FlowObject> = {};
  if (source >= 0) row.sourceMacAddress = formatMac(source);
  if (destination >= 0) row.destinationMacAddress = formatMac(destination);
  if (batch.sourceAs[n] >= 0) row.bgpSourceAsNumber = batch.sourceAs[n];
  if (batch.destinationAs[n] >= 0) row.bgpDestinationAsNumber = batch.destinationAs[n];
  if (batch.dnsName[n] !== 0) {
    row.dnsQueryName = names.names.text(batch.dnsName[n]);
    row.dnsQueryType = batch.dnsType[n];
  }
  if (batch.sni[n] !== 0) row.tlsServerName = names.names.text(batch.sni[n]);
  return row;
}

/** A 48-bit number as `00:0c:29:aa:bb:cc`. */
export function formatMac(mac: number): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/..(?=.)/g, '$&:');
}

/** Columns of `--format csv`, in order. */
export const FLOW_COLUMNS: readonly (keyof FlowObject)[] = [
  'file',
  'flowStart',
  'flowEnd',
  'sourceAddress',
  'destinationAddress',
  'sourceTransportPort',
  'destinationTransportPort',
  'protocolIdentifier',
  'icmpType',
  'icmpCode',
  'packetDeltaCount',
  'octetDeltaCount',
  'layer2OctetDeltaCount',
  'reversePacketDeltaCount',
  'reverseOctetDeltaCount',
  'reverseLayer2OctetDeltaCount',
  'tcpControlBits',
  'reverseTcpControlBits',
  'vlanId',
  'ingressInterface',
  'egressInterface',
  'ipClassOfService',
  'flowEndReason',
  'communityId',
  'exporter',
  'observationDomainId',
  'samplingInterval',
  'layers',
  'outerSourceAddress',
  'outerDestinationAddress',
  'sourceMacAddress',
  'destinationMacAddress',
  'bgpSourceAsNumber',
  'bgpDestinationAsNumber',
  'dnsQueryName',
  'dnsQueryType',
  'tlsServerName',
];

/** A record as a CSV line (RFC 4180) under `FLOW_COLUMNS`: what is absent is empty, layers are joined by blanks. */
export function flowCsv(flow: FlowObject): string {
  return FLOW_COLUMNS.map((column) => {
    const value = flow[column];
    return quote(Array.isArray(value) ? value.join(' ') : String(value ?? ''));
  }).join(',');
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
