import { protocolName } from './field.ts';

type FlowFacts = Record<string, string | number>;

/** A share of 0..1 in whole per cent; what is small is not nothing. */
export function describeShare(share: number): string {
  return share > 0 && share < 0.01 ? '<1%' : `${Math.round(share * 100)}%`;
}

/**
 * A flow of the evidence on one line: `04:26:51 198.51.100.23:56922 > 192.0.2.80:80 tcp 20 packets 1131 bytes FS.PA...`.
 * Facts that have no place there follow as name=value.
 */
export function describeFlow(flow: FlowFacts): string {
  const rest = { ...flow };
  const take = (name: string): string => {
    const value = rest[name];
    delete rest[name];
    return value === undefined ? '' : String(value);
  };
  const start = take('flowStart').slice(11, 19);
  take('flowEnd');
  const source = endpoint(take('sourceAddress'), take('sourceTransportPort'));
  const destination = endpoint(take('destinationAddress'), take('destinationTransportPort'));
  const proto = take('protocolIdentifier');
  const forward = amount(take('packetDeltaCount'), take('octetDeltaCount'));
  const back = amount(take('reversePacketDeltaCount'), take('reverseOctetDeltaCount'));
  const flags = take('tcpControlBits');
  take('reverseTcpControlBits');
  const others = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  const ends = source === '' && destination === '' ? '' : `${source} > ${destination}`;
  const parts = [
    start,
    ends,
    proto === '' ? '' : protocolName(Number(proto)),
    forward,
    back && `(back ${back})`,
    flags,
  ];
  return [...parts, ...others].filter((part) => part !== '').join(' ');
}

function endpoint(address: string, port: string): string {
  if (port === '') return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function amount(packets: string, octets: string): string {
  return [packets && `${packets} packets`, octets && `${octets} bytes`].filter((part) => part !== '').join(' ');
}
