import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Conversation } from './conversation.ts';

interface FlowtestFlow {
  src_ip: string;
  dst_ip: string;
  protocol: number;
  src_port?: number;
  dst_port?: number;
  packets: number;
  'packets@rev'?: number;
  bytes: number;
  'bytes@rev'?: number;
}

/** Biflows of a flowtest case and the capture they belong to; its bytes are IP bytes. */
export function readFlowtest(folder: string, name: string): { pcap: string; conversations: Conversation[] } {
  const { pcap, flows } = parse(readFileSync(join(folder, name), 'utf8')) as { pcap: string; flows: FlowtestFlow[] };
  const conversations = flows.map((flow) => ({
    protocol: flow.protocol,
    source: { address: flow.src_ip, port: flow.src_port ?? 0 },
    destination: { address: flow.dst_ip, port: flow.dst_port ?? 0 },
    packets: [flow.packets, flow['packets@rev'] ?? 0] as [number, number],
    ipBytes: [flow.bytes, flow['bytes@rev'] ?? 0] as [number, number],
  }));
  return { pcap: join(folder, pcap), conversations };
}
