import { IPV4_WORD_2 } from '../model/address.ts';
import {
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  IS_IPV6,
  NO_LAYER2,
  NO_OCTETS,
  NO_PROTOCOL,
} from '../model/flow-batch.ts';
import { fieldValue, uintAt } from './field-value.ts';
import type { Frames } from './frames.ts';
import { addElement, type Elements } from './record-elements.ts';
import { frameSection, headerElements } from './sflow-header.ts';
import type { Xdr } from './xdr.ts';

/** header_protocol of sFlow to LINKTYPE numbers; what is not here is not looked into. */
const LINK_TYPES: Readonly<Record<number, number>> = {
  1: 1,
  3: 6,
  4: 10,
  5: 107,
  7: 9,
  11: 228,
  12: 229,
  13: 219,
  14: 9,
  15: 105,
};

/** The sample at hand: its row, and its elements when somebody asks for them. */
export interface Sample {
  batch: FlowBatch;
  row: number;
  elements: Elements | null;
}

/** AS numbers of a path and communities that are read at most. */
const MOST_IN_LIST = 1024;

/**
 * Flow records of enterprise 0 (sflow_version_5.txt, "Flow Data Types", and sflow_tunnels.txt): each fills what it knows
 * of the row. Unknown ones are hex under `PEN:format`.
 */
export class FlowRecords {
  readonly #frames: Frames;

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  read(enterprise: number, format: number, xdr: Xdr, sample: Sample): void {
    if (enterprise !== 0 || !this.#known(format, xdr, sample)) {
      if (sample.elements !== null && xdr.left > 0) {
        addElement(sample.elements, `${enterprise}:${format}`, xdr.hex(xdr.left));
      }
    }
  }

  #known(format: number, xdr: Xdr, sample: Sample): boolean {
    switch (format) {
      case 1:
        this.#rawHeader(xdr, sample);
        return true;
      case 2:
        ethernet(xdr, sample);
        return true;
      case 3:
      case 4:
        ip(xdr, sample, format === 3 ? 4 : 16);
        return true;
      case 1023:
      case 1024:
        outerIp(xdr, sample, 4);
        return true;
      case 1025:
      case 1026:
        outerIp(xdr, sample, 16);
        return true;
      default:
        return extension(format, xdr, sample);
    }
  }

  /** header_protocol, frame_length, stripped, length of the header, header. */
  #rawHeader(xdr: Xdr, sample: Sample): void {
    const linkType = LINK_TYPES[xdr.u32()] ?? -1;
    const frameLength = xdr.u32();
    xdr.u32();
    const length = xdr.u32();
    const at = xdr.take(length);
    if (at < 0) return;
    const { batch, row, elements } = sample;
    if (linkType >= 0) {
      const input = batch.ingressInterface[row];
      this.#frames.fill(xdr.data, at, length, Math.max(length, frameLength), linkType, batch, row);
      batch.ingressInterface[row] = input;
    }
    batch.layer2OctetDeltaCount[row] = frameLength * (batch.samplingInterval[row] || 1);
    batch.meta[row] &= ~NO_LAYER2;
    if (elements === null) return;
    addElement(elements, 'dataLinkFrameSize', frameLength);
    headerElements(elements, xdr.data, at, at + length, linkType);
    addElement(elements, 'dataLinkFrameSection', frameSection(xdr.data, at, length));
  }
}

function add(sample: Sample, name: string, value: number | string): void {
  if (sample.elements !== null) addElement(sample.elements, name, value);
}

/** length, source MAC, destination MAC, type. */
function ethernet(xdr: Xdr, sample: Sample): void {
  const { batch, row } = sample;
  const length = xdr.u32();
  const source = xdr.take(6);
  const destination = xdr.take(6);
  const type = xdr.u32();
  if (xdr.failed) return;
  const { data } = xdr;
  batch.sourceMacAddress[row] = uintAt(data, source, 6);
  batch.destinationMacAddress[row] = uintAt(data, destination, 6);
  if ((batch.meta[row] & NO_LAYER2) !== 0) {
    batch.layer2OctetDeltaCount[row] = length * (batch.samplingInterval[row] || 1);
    batch.meta[row] &= ~NO_LAYER2;
  }
  if (sample.elements === null || 'dataLinkFrameSection' in sample.elements) return;
  add(sample, 'dataLinkFrameSize', length);
  addElement(sample.elements, 'sourceMacAddress', fieldValue('macAddress', data, source, 6));
  addElement(sample.elements, 'destinationMacAddress', fieldValue('macAddress', data, destination, 6));
  add(sample, 'ethernetType', type);
}

/** length, protocol, source, destination, ports, TCP flags, tos (IPv6: priority). */
function ip(xdr: Xdr, sample: Sample, size: number): void {
  const { batch, row } = sample;
  const length = xdr.u32();
  const protocol = xdr.u32() & 255;
  const source = xdr.take(size);
  const destination = xdr.take(size);
  const sourcePort = xdr.u32() & 0xffff;
  const destinationPort = xdr.u32() & 0xffff;
  const flags = xdr.u32();
  const tos = xdr.u32();
  if (xdr.failed) return;
  if (sample.elements !== null && !('dataLinkFrameSection' in sample.elements)) {
    const type = size === 4 ? 'ipv4Address' : 'ipv6Address';
    const v = size === 4 ? 'IPv4' : 'IPv6';
    add(sample, 'ipTotalLength', length);
    add(sample, 'protocolIdentifier', protocol);
    addElement(sample.elements, `source${v}Address`, fieldValue(type, xdr.data, source, size));
    addElement(sample.elements, `destination${v}Address`, fieldValue(type, xdr.data, destination, size));
    add(sample, 'sourceTransportPort', sourcePort);
    add(sample, 'destinationTransportPort', destinationPort);
    add(sample, 'tcpControlBits', flags);
    add(sample, 'ipClassOfService', tos);
  }
  // The header itself, where the sample has it, knows more.
  if ((batch.meta[row] & HAS_IP) !== 0) return;
  batch.meta[row] &= ~(NO_OCTETS | NO_PROTOCOL);
  batch.meta[row] |= HAS_IP | (size === 16 ? IS_IPV6 : 0);
  words(xdr, source, size, batch.sourceAddress, row);
  words(xdr, destination, size, batch.destinationAddress, row);
  batch.protocolIdentifier[row] = protocol;
  batch.octetDeltaCount[row] = length * (batch.samplingInterval[row] || 1);
  batch.ipClassOfService[row] = tos;
  batch.tcpControlBits[row] = flags;
  if (protocol === 1 || protocol === 58) {
    batch.meta[row] |= HAS_ICMP;
    batch.icmpTypeCode[row] = (sourcePort << 8) | destinationPort;
  } else {
    batch.meta[row] |= HAS_PORTS;
    batch.sourceTransportPort[row] = sourcePort;
    batch.destinationTransportPort[row] = destinationPort;
  }
}

/** The header of a tunnel that the packet left or will enter: the same layout, outside of the flow's own. */
function outerIp(xdr: Xdr, sample: Sample, size: number): void {
  const { batch, row } = sample;
  xdr.u32();
  xdr.u32();
  const source = xdr.take(size);
  const destination = xdr.take(size);
  if (xdr.failed || (batch.meta[row] & HAS_OUTER) !== 0) return;
  words(xdr, source, size, batch.outerSourceAddress, row);
  words(xdr, destination, size, batch.outerDestinationAddress, row);
  batch.meta[row] |= HAS_OUTER;
}

function words(xdr: Xdr, at: number, size: number, target: Int32Array, row: number): void {
  const w = 4 * row;
  if (size === 4) {
    target[w] = 0;
    target[w + 1] = 0;
    target[w + 2] = IPV4_WORD_2;
    target[w + 3] = xdr.view.getInt32(at);
    return;
  }
  for (let k = 0; k < 4; k++) target[w + k] = xdr.view.getInt32(at + 4 * k);
}

/** Extended data: what the switch or router knows beside the packet. @returns false for an unknown format */
function extension(format: number, xdr: Xdr, sample: Sample): boolean {
  const { batch, row } = sample;
  switch (format) {
    case 1001: {
      const vlan = xdr.u32();
      if (batch.vlanId[row] < 0 && vlan > 0 && vlan < 4096) batch.vlanId[row] = vlan;
      add(sample, 'vlanId', vlan);
      add(sample, 'dot1qPriority', xdr.u32());
      add(sample, 'postVlanId', xdr.u32());
      xdr.u32();
      return true;
    }
    case 1002: {
      const v = address(xdr, sample, 'ipNextHop', 'Address');
      add(sample, `source${v}PrefixLength`, xdr.u32());
      add(sample, `destination${v}PrefixLength`, xdr.u32());
      return true;
    }
    case 1003:
      gateway(xdr, sample);
      return true;
    case 1004:
      xdr.u32();
      add(sample, 'userName', xdr.text());
      xdr.u32();
      xdr.text();
      return true;
    case 1005:
      xdr.u32();
      add(sample, 'httpRequestTarget', xdr.text());
      add(sample, 'httpRequestHost', xdr.text());
      return true;
    case 1007:
      address(xdr, sample, 'postNATSource', 'Address');
      address(xdr, sample, 'postNATDestination', 'Address');
      return true;
    case 1020:
      add(sample, 'postNAPTSourceTransportPort', xdr.u32());
      add(sample, 'postNAPTDestinationTransportPort', xdr.u32());
      return true;
    case 1029:
    case 1030:
      add(sample, 'layer2SegmentId', xdr.u32());
      return true;
    default:
      return false;
  }
}

/** next hop, AS of the router, of the source, of its peer, path to the destination, communities, localpref. */
function gateway(xdr: Xdr, sample: Sample): void {
  const { batch, row } = sample;
  address(xdr, sample, 'bgpNextHop', 'Address');
  const own = xdr.u32();
  const source = xdr.u32();
  const previous = xdr.u32();
  const path: number[] = [];
  for (let segments = Math.min(xdr.u32(), MOST_IN_LIST); segments > 0 && !xdr.failed; segments--) {
    xdr.u32();
    for (let n = Math.min(xdr.u32(), MOST_IN_LIST); n > 0 && !xdr.failed; n--) path.push(xdr.u32());
  }
  if (xdr.failed) return;
  // An empty path means that the destination is in the router's own AS; 0 is its own as well.
  const destination = path.at(-1) ?? own;
  batch.sourceAs[row] = source || own;
  batch.destinationAs[row] = destination;
  add(sample, 'bgpSourceAsNumber', source);
  add(sample, 'bgpDestinationAsNumber', destination);
  add(sample, 'bgpPrevAdjacentAsNumber', previous);
  add(sample, 'bgpNextAdjacentAsNumber', path[0] ?? 0);
  for (let n = Math.min(xdr.u32(), MOST_IN_LIST); n > 0 && !xdr.failed; n--) add(sample, 'bgpCommunity', xdr.u32());
}

/** Address type (1 IPv4, 2 IPv6) and address. @returns the version as IANA's names have it */
function address(xdr: Xdr, sample: Sample, before: string, after: string): string {
  const size = xdr.u32() === 2 ? 16 : 4;
  const at = xdr.take(size);
  const v = size === 4 ? 'IPv4' : 'IPv6';
  if (at >= 0 && sample.elements !== null) {
    const type = size === 4 ? 'ipv4Address' : 'ipv6Address';
    addElement(sample.elements, `${before}${v}${after}`, fieldValue(type, xdr.data, at, size));
  }
  return v;
}
