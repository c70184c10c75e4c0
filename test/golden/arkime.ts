import { readFileSync } from 'node:fs';
import type { Conversation } from './conversation.ts';

interface End {
  ip?: string;
  port?: number;
  packets: number;
  bytes: number;
}

interface Session {
  body: {
    ipProtocol?: number;
    firstPacket: number;
    lastPacket: number;
    source: End;
    destination: End;
    network: { community_id?: string; vlan?: { id: number[] } };
    srcOuterIp?: string[];
    dstOuterIp?: string[];
  };
}

/** Sessions of an Arkime `.test` file; its bytes are frame bytes, its times milliseconds. */
export function readArkime(path: string): Conversation[] {
  const { sessions3 } = JSON.parse(readFileSync(path, 'utf8')) as { sessions3: Session[] };
  return sessions3.map(({ body }) => ({
    protocol: body.ipProtocol ?? 0,
    source: { address: body.source.ip ?? '', port: body.source.port ?? 0 },
    destination: { address: body.destination.ip ?? '', port: body.destination.port ?? 0 },
    packets: [body.source.packets, body.destination.packets],
    frameBytes: [body.source.bytes, body.destination.bytes],
    firstMs: body.firstPacket,
    lastMs: body.lastPacket,
    communityIds: body.network.community_id ? [body.network.community_id] : [],
    vlans: body.network.vlan?.id ?? [],
    outer: [...(body.srcOuterIp ?? []), ...(body.dstOuterIp ?? [])],
  }));
}
