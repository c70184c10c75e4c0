import { formatUs } from '../core/time.ts';
import { parseAddress } from '../model/address.ts';
import { communityId } from '../model/community-id.ts';

/** Columns of the history that serve its queries and are no information elements. */
const INTERNAL = new Set(['sourceHigh', 'sourceLow', 'destinationHigh', 'destinationLow', 'meta']);

/** A stored flow record as `weir flows --json` prints it: what is absent is left out. */
export function flowObject(row: Record<string, unknown>): Record<string, unknown> {
  const flow: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value === null || INTERNAL.has(name)) continue;
    flow[name] = name === 'flowStart' || name === 'flowEnd' ? formatUs(Number(value)) : value;
  }
  if (typeof flow['layers'] === 'string') flow['layers'] = flow['layers'].split(' ');
  const id = identify(flow);
  if (id !== '') flow['communityId'] = id;
  return flow;
}

function identify(flow: Record<string, unknown>): string {
  const words = new Int32Array(8);
  const protocol = flow['protocolIdentifier'];
  if (typeof protocol !== 'number') return '';
  if (!parseAddress(String(flow['sourceAddress']), words, 0)) return '';
  if (!parseAddress(String(flow['destinationAddress']), words, 4)) return '';
  const first = flow['sourceTransportPort'] ?? flow['icmpType'];
  const second = flow['destinationTransportPort'] ?? flow['icmpCode'];
  return communityId(protocol, words, 0, words, 4, Number(first ?? 0), Number(second ?? 0), first !== undefined);
}
