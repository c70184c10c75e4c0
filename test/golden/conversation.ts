import type { FlowObject } from '../../src/model/flow-fields.ts';

interface End {
  address: string;
  port: number;
}

/** What a tool says of one conversation; what it does not say is not there. Pairs are (source, destination). */
export interface Conversation {
  /** 0: no IP. */
  protocol: number;
  source: End;
  destination: End;
  packets: [number, number];
  ipBytes?: [number, number];
  frameBytes?: [number, number];
  firstMs?: number;
  lastMs?: number;
  communityIds?: string[];
  vlans?: number[];
  outer?: string[];
}

/** Sums of a pair of ends, whoever opened which part of it: tools cut at other timeouts than weir. */
export interface Total {
  key: string;
  source: string;
  packets: Record<string, number>;
  ipBytes: Record<string, number> | null;
  frameBytes: Record<string, number> | null;
  firstMs: number | null;
  lastMs: number | null;
  communityIds: string[];
  vlans: number[] | null;
  outer: string[] | null;
}

/** Whether a tool tells ports of a protocol. */
export type HasPorts = (protocol: number) => boolean;

const NO_IP: End = { address: '', port: 0 };

/** A flow record in the words of a conversation. */
export function conversationOf(flow: FlowObject): Conversation {
  const hasIp = flow.protocolIdentifier !== undefined;
  const end = (address?: string, port?: number): End => (hasIp ? { address: address ?? '', port: port ?? 0 } : NO_IP);
  return {
    protocol: flow.protocolIdentifier ?? 0,
    source: end(flow.sourceAddress, flow.sourceTransportPort),
    destination: end(flow.destinationAddress, flow.destinationTransportPort),
    packets: [flow.packetDeltaCount ?? 0, flow.reversePacketDeltaCount ?? 0],
    ipBytes: [flow.octetDeltaCount ?? 0, flow.reverseOctetDeltaCount ?? 0],
    frameBytes: [flow.layer2OctetDeltaCount ?? 0, flow.reverseLayer2OctetDeltaCount ?? 0],
    firstMs: toMs(flow.flowStart),
    lastMs: toMs(flow.flowEnd),
    communityIds: flow.communityId ? [flow.communityId] : [],
    vlans: (flow.layers ?? []).filter((layer) => layer.startsWith('vlan:')).map((layer) => Number(layer.slice(5))),
    outer: flow.outerSourceAddress ? [flow.outerSourceAddress, flow.outerDestinationAddress!] : [],
  };
}

const toMs = (time?: string): number => (time === undefined ? 0 : Math.floor(Date.parse(time)));

/** Conversations by pair of ends, in order of first packet where times are known. */
export function totals(conversations: readonly Conversation[], hasPorts: HasPorts): Map<string, Total> {
  const result = new Map<string, Total>();
  for (const conversation of [...conversations].sort((a, b) => (a.firstMs ?? 0) - (b.firstMs ?? 0))) {
    const name = (end: End): string => `${end.address} ${hasPorts(conversation.protocol) ? end.port : 0}`;
    const [source, destination] = [name(conversation.source), name(conversation.destination)];
    const key = `${conversation.protocol} ${[source, destination].sort().join(' - ')}`;
    const known = result.get(key);
    if (known) add(known, conversation, source, destination);
    else {
      const fresh = empty(key, source, conversation);
      add(fresh, conversation, source, destination);
      result.set(key, fresh);
    }
  }
  return result;
}

function empty(key: string, source: string, first: Conversation): Total {
  return {
    key,
    source,
    packets: {},
    ipBytes: first.ipBytes ? {} : null,
    frameBytes: first.frameBytes ? {} : null,
    firstMs: first.firstMs ?? null,
    lastMs: first.lastMs ?? null,
    communityIds: [],
    vlans: first.vlans ? [] : null,
    outer: first.outer ? [] : null,
  };
}

function add(total: Total, conversation: Conversation, source: string, destination: string): void {
  const pairs = [
    [total.packets, conversation.packets],
    [total.ipBytes, conversation.ipBytes],
    [total.frameBytes, conversation.frameBytes],
  ] as const;
  for (const [sums, values] of pairs) {
    if (!sums || !values) continue;
    sums[source] = (sums[source] ?? 0) + values[0];
    sums[destination] = (sums[destination] ?? 0) + values[1];
  }
  total.lastMs = Math.max(total.lastMs ?? 0, conversation.lastMs ?? 0);
  total.communityIds = union(total.communityIds, conversation.communityIds);
  total.vlans = union(total.vlans, conversation.vlans);
  total.outer = union(total.outer, conversation.outer);
}

function union<T extends string | number, U extends T[] | null>(into: U, more: T[] | undefined): U {
  return (into && more ? [...new Set([...into, ...more])].sort() : into) as U;
}

/** What of `weir` a truth speaks about, so that both compare as wholes. */
export function asTold(weir: Total | undefined, truth: Total): Total | null {
  if (!weir) return null;
  return {
    ...weir,
    ipBytes: truth.ipBytes ? weir.ipBytes : null,
    frameBytes: truth.frameBytes ? weir.frameBytes : null,
    firstMs: truth.firstMs === null ? null : weir.firstMs,
    lastMs: truth.firstMs === null ? truth.lastMs : weir.lastMs,
    communityIds: weir.communityIds.filter((id) => truth.communityIds.includes(id)),
    vlans: truth.vlans ? weir.vlans : null,
    outer: truth.outer ? weir.outer : null,
  };
}
