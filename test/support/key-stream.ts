import { PacketBatch } from '../../src/model/packet-batch.ts';

const FRAME = 60;
const BATCH = 1024;
const START_US = 1_735_689_600e6;
/** Odd, so that multiplying by it visits every 32-bit number once. */
const SCATTER = 0x9e3779b1;

/** Where all these packets go: 10.1.2.3, port 443. */
export const TARGET = '10.1.2.3';

export interface KeyStream {
  batches: Iterable<PacketBatch>;
  packets: number;
  wireBytes: number;
  ipBytes: number;
}

/** A SYN flood in which no two packets have the same source: `keys` packets in `spanUs` of event time. */
export function distinctKeys(keys: number, spanUs: number): KeyStream {
  return { batches: floodBatches(keys, spanUs), packets: keys, wireBytes: keys * FRAME, ipBytes: keys * 40 };
}

function* floodBatches(keys: number, spanUs: number): Generator<PacketBatch> {
  const batch = new PacketBatch(BATCH);
  const data = Buffer.alloc(BATCH * FRAME);
  batch.setData(data);
  for (let i = 0; i < BATCH; i++) {
    data.write('0200000000020200000000010800450000280001000040060000000000000a010203000001bb', i * FRAME, 'hex');
    data.writeUInt16BE(0x5002, i * FRAME + 46);
    batch.offset[i] = i * FRAME;
  }
  batch.capturedLength.fill(FRAME);
  batch.wireLength.fill(FRAME);
  batch.linkType.fill(1);
  for (let first = 0; first < keys; first += BATCH) {
    batch.length = Math.min(BATCH, keys - first);
    for (let i = 0; i < batch.length; i++) {
      data.writeUInt32BE(Math.imul(first + i + 1, SCATTER) >>> 0, i * FRAME + 26);
      data.writeUInt16BE(1024 + ((first + i) % 60_000), i * FRAME + 34);
      batch.timeUs[i] = START_US + Math.floor(((first + i) / keys) * spanUs);
    }
    yield batch;
  }
}
