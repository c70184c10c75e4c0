import { join } from 'node:path';
import { openOrdered } from '../../src/source/source.ts';
import { ROOT } from '../support/replay.ts';

/** Recordings of a few minutes of one afternoon: attacks and ordinary traffic. */
export const FIXTURES = [
  'benign-bulk/capture.pcap',
  'benign-busy-web/capture.pcap',
  'benign-dns/capture.pcap',
  'benign-web/capture.pcapng',
  'dns-tunnel/capture.pcap',
  'ftp-bruteforce/capture.pcapng',
  'icmp-flood/capture.pcap',
  'rdp-bruteforce/capture.pcap',
  'ping-sweep/capture.pcap',
  'scan-horizontal/capture.pcap',
  'scan-ipv6/capture.pcap',
  'scan-vertical/capture.pcapng',
  'ssh-bruteforce/capture.pcap',
  'syn-flood/capture.pcapng',
  'udp-flood/capture.pcapng',
];
const ETHERNET = 1;

export interface RotatedFile {
  name: string;
  bytes: Buffer;
  packets: number;
}

/** One writer's rotated captures (classic pcap, microseconds), in order: `trace-00001.pcap`, ... */
export async function rotatedSet(packetsAFile: number): Promise<RotatedFile[]> {
  const stream = openOrdered(FIXTURES.map((path) => join(ROOT, 'fixtures', path)));
  const files: RotatedFile[] = [];
  let records: Buffer[] = [];
  const close = () => {
    const name = `trace-${String(files.length + 1).padStart(5, '0')}.pcap`;
    files.push({ name, bytes: Buffer.concat([header(), ...records]), packets: records.length });
    records = [];
  };
  for (let run = await stream.next(); run !== null; run = await stream.next()) {
    const { timeUs, offset, capturedLength, wireLength, linkType, data } = run.batch;
    for (let i = run.from; i < run.to; i++) {
      if (linkType[i] !== ETHERNET) continue;
      records.push(record(timeUs[i], wireLength[i], data.subarray(offset[i], offset[i] + capturedLength[i])));
      if (records.length === packetsAFile) close();
    }
  }
  if (records.length > 0) close();
  return files;
}

/** `magic 4 | major 2 | minor 2 | zone 4 | accuracy 4 | snap length 4 | link type 4` */
function header(): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(0xa1b2c3d4);
  bytes.writeUInt16LE(2, 4);
  bytes.writeUInt16LE(4, 6);
  bytes.writeUInt32LE(262_144, 16);
  bytes.writeUInt32LE(ETHERNET, 20);
  return bytes;
}

function record(timeUs: number, wire: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(16 + data.length);
  bytes.writeUInt32LE(Math.floor(timeUs / 1e6));
  bytes.writeUInt32LE(timeUs % 1e6, 4);
  bytes.writeUInt32LE(data.length, 8);
  bytes.writeUInt32LE(wire, 12);
  bytes.set(data, 16);
  return bytes;
}
