import { PacketBatch } from '../../../src/model/packet-batch.ts';

/** A frame: Ethernet, IPv4, TCP with an ACK and 100 bytes of payload, cut behind the header. */
const FRAME = Buffer.from(
  '020000000002020000000001080045000078000040004006000000000000000000000000000000000000000000005010ffff00000000',
  'hex',
);
/** The same with IPv6. */
const FRAME_IPV6 = Buffer.from(
  '020000000002020000000001' + '86dd6000000000780640' + '00'.repeat(36) + '00000000000000005010ffff00000000',
  'hex',
);
const PREFIX_IPV6 = 0x20010db8;
const STRIDE = 96;
const WIRE = 134;
const WIRE_IPV6 = 174;
export const BATCH = 4096;
/** Packets a second of event time, and how many flows take turns: a flow's packets come within some seconds. */
const PACKETS_A_SECOND = 100_000;
const ACTIVE = 20_000;
const PACKETS_A_FLOW = 10;

/** A batch of frames that `fill` completes. */
export function framesBatch(ipv6 = false): PacketBatch {
  const frame = ipv6 ? FRAME_IPV6 : FRAME;
  const batch = new PacketBatch(BATCH);
  const data = Buffer.alloc(BATCH * STRIDE);
  for (let i = 0; i < BATCH; i++) {
    frame.copy(data, i * STRIDE);
    batch.offset[i] = i * STRIDE;
    batch.capturedLength[i] = frame.length;
    batch.wireLength[i] = ipv6 ? WIRE_IPV6 : WIRE;
    batch.linkType[i] = 1;
  }
  batch.setData(data);
  return batch;
}

/** Writes packets `from`, `from + 1`, ... of `keys` flows that take turns. */
export function fill(batch: PacketBatch, from: number, count: number, keys: number): void {
  const { view } = batch;
  const open = Math.min(keys, ACTIVE);
  for (let i = 0; i < count; i++) {
    const packet = from + i;
    // The flow's place among the open ones by a hash, and how many flows stood there before it.
    const place = (Math.imul(packet, 0x9e3779b1) >>> 0) % open;
    const turn = keys > ACTIVE ? Math.floor(packet / (ACTIVE * PACKETS_A_FLOW)) : 0;
    const key = (place + turn * ACTIVE) % keys;
    const at = i * STRIDE;
    const ports = view.getUint16(at + 12) === 0x86dd ? endsIPv6(view, at, key) : ends(view, at, key);
    view.setUint16(ports, 1024 + (key % 60_000));
    view.setUint16(ports + 2, 443);
    batch.timeUs[i] = 1.7e15 + Math.floor((packet * 1e6) / PACKETS_A_SECOND);
  }
  batch.length = count;
}

/** Writes the addresses. @returns where the ports stand */
function ends(view: DataView, at: number, key: number): number {
  view.setUint32(at + 26, 0x0a000000 + (key & 0xffffff));
  view.setUint32(at + 30, 0xc0000200 + (key >>> 24));
  return at + 34;
}

function endsIPv6(view: DataView, at: number, key: number): number {
  view.setUint32(at + 22, PREFIX_IPV6);
  view.setUint32(at + 34, key & 0xffffff);
  view.setUint32(at + 38, PREFIX_IPV6);
  view.setUint32(at + 50, 0x200 + (key >>> 24));
  return at + 54;
}
