import type { FlowField } from '../model/flow-fields.ts';

/** How a field stands in an IPFIX record (RFC 7011, section 6.1). */
export type IpfixType = 'unsigned' | 'time' | 'address' | 'mac' | 'string';

export interface IpfixField {
  /** IANA's number of the element; of the IPv4 kind where there are two. */
  id: number;
  /** The IPv6 kind. */
  id6?: number;
  /** Bytes; an address has 4 or 16. */
  bytes: number;
  type: IpfixType;
  /** The reverse direction's value of the element (RFC 5103, section 6.1). */
  reverse?: boolean;
}

const unsigned = (id: number, bytes: number): IpfixField => ({ id, bytes, type: 'unsigned' });
const reverse = (id: number, bytes: number): IpfixField => ({ id, bytes, type: 'unsigned', reverse: true });
const address = (id: number, id6: number): IpfixField => ({ id, id6, bytes: 0, type: 'address' });

/**
 * The fields of a flow that are information elements. What has no number at IANA stays out of IPFIX files: layers,
 * Community ID, names, outer addresses.
 */
export const IPFIX_FIELDS: Readonly<Partial<Record<FlowField, IpfixField>>> = {
  flowStart: { id: 154, bytes: 8, type: 'time' },
  flowEnd: { id: 155, bytes: 8, type: 'time' },
  sourceAddress: address(8, 27),
  destinationAddress: address(12, 28),
  sourceTransportPort: unsigned(7, 2),
  destinationTransportPort: unsigned(11, 2),
  protocolIdentifier: unsigned(4, 1),
  icmpType: { ...unsigned(176, 1), id6: 178 },
  icmpCode: { ...unsigned(177, 1), id6: 179 },
  packetDeltaCount: unsigned(2, 8),
  octetDeltaCount: unsigned(1, 8),
  layer2OctetDeltaCount: unsigned(352, 8),
  reversePacketDeltaCount: reverse(2, 8),
  reverseOctetDeltaCount: reverse(1, 8),
  reverseLayer2OctetDeltaCount: reverse(352, 8),
  tcpControlBits: unsigned(6, 2),
  reverseTcpControlBits: reverse(6, 2),
  vlanId: unsigned(58, 2),
  ingressInterface: unsigned(10, 4),
  egressInterface: unsigned(14, 4),
  ipClassOfService: unsigned(5, 1),
  flowEndReason: unsigned(136, 1),
  observationDomainId: unsigned(149, 4),
  samplingInterval: unsigned(34, 4),
  sourceMacAddress: { id: 56, bytes: 6, type: 'mac' },
  destinationMacAddress: { id: 80, bytes: 6, type: 'mac' },
  bgpSourceAsNumber: unsigned(16, 4),
  bgpDestinationAsNumber: unsigned(17, 4),
};
