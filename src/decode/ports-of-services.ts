/**
 * What UDP port numbers say, as bits in one byte a port, so that the hot path asks once a port.
 */
/** Servers that answer from here: below 1024 and the known reflectors (US-CERT alert TA14-017A and later reports). */
export const SERVICE = 1;
/** A tunnel opens by this destination port. */
export const TUNNEL_DESTINATION = 2;
/** A tunnel opens by this port at either end. */
export const TUNNEL_EITHER = 4;
/** DNS messages. */
export const DNS_PORT = 8;

/**
 * Not BitTorrent (6881) and its like: there the asking side has the same port. Beside reflectors stand services whose
 * clients may ask from ports below 1024 (NFS) or from any (IPsec, L2TP, RADIUS).
 */
const SERVICES = [
  1194, 1434, 1701, 1812, 1813, 1900, 2049, 2302, 3283, 3389, 3478, 3702, 4500, 5060, 5093, 5353, 5683, 7001, 9987,
  10001, 10074, 11211, 17185, 20811, 27015, 27960, 30120, 30718, 32414, 37020, 37810, 41794, 47808,
];

function build(): Uint8Array {
  const table = new Uint8Array(65536);
  table.fill(SERVICE, 1, 1024);
  for (const port of SERVICES) table[port] |= SERVICE;
  for (const port of [4789, 4790, 6081, 8472, 6635, 6080, 5555, 37008, 4754, 4341]) table[port] |= TUNNEL_DESTINATION;
  for (const port of [2152, 1701, 3544, 5247, 5072]) table[port] |= TUNNEL_EITHER;
  for (const port of [53, 5353]) table[port] |= DNS_PORT;
  return table;
}

export const UDP_PORTS: Uint8Array = build();

/** UDP from a service port to one that is none: by itself an answer. */
export function isServiceAnswer(source: number, destination: number): boolean {
  return (UDP_PORTS[source] & SERVICE) !== 0 && (UDP_PORTS[destination] & SERVICE) === 0;
}
