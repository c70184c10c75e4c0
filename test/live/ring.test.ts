import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { LiveSource, Ring } from '../../src/live/live.ts';
import { startLiveWorker } from '../../src/live-thread.ts';
import type { Intake } from '../../src/model/intake.ts';
import { Names } from '../../src/model/names.ts';
import { LAYERS, PORTS, ROW } from '../../src/model/packet-rows.ts';

const BLOCK = 4096;

interface Made {
  frame: Buffer;
  status?: number;
  tci?: number;
  tpid?: number;
  outgoing?: boolean;
}

/** A block as the kernel writes it (linux/if_packet.h), packets of 256 bytes each, with room for a tag before each frame. */
function block(memory: ArrayBuffer, index: number, packets: Made[]): void {
  const view = new DataView(memory, index * BLOCK, BLOCK);
  view.setUint32(12, packets.length, true);
  view.setUint32(16, 64, true);
  packets.forEach(({ frame, status = 0, tci = 0, tpid = 0, outgoing = false }, n) => {
    const at = 64 + 256 * n;
    [256, 1_700_000_000, 123_456_789 + n, frame.length, frame.length, status].forEach((word, k) => {
      view.setUint32(at + 4 * k, word, true);
    });
    view.setUint16(at + 24, 84, true);
    view.setUint32(at + 32, tci, true);
    view.setUint16(at + 36, tpid, true);
    view.setUint8(at + 58, outgoing ? 4 : 0);
    new Uint8Array(memory, index * BLOCK + at + 84).set(frame);
  });
  view.setUint32(8, 1, true);
}

const shape = { address: 0n, blockBytes: BLOCK, blocks: 2, linkType: 1, loopback: false, cardTime: false };
const frame = Buffer.from(`${'aa'.repeat(6)}${'bb'.repeat(6)}0800${'45'.repeat(40)}`, 'hex');

describe('ring of TPACKET_V3', () => {
  it('gives packets in place, block after block, and gives blocks back', () => {
    const memory = new ArrayBuffer(2 * BLOCK);
    const ring = new Ring(memory, shape);
    expect(ring.fill()).toBe(false);
    for (let round = 0; round < 5; round++) {
      block(memory, round % 2, [{ frame }, { frame: frame.subarray(0, 20) }]);
      expect(ring.fill()).toBe(true);
      const { batch } = ring;
      expect([...batch.capturedLength.subarray(0, batch.length)]).toEqual([54, 20]);
      expect([...batch.timeUs.subarray(0, 2)]).toEqual([1_700_000_000_123_456, 1_700_000_000_123_456]);
      expect([...batch.nanos.subarray(0, 2)]).toEqual([789, 790]);
      expect(Buffer.from(batch.data.subarray(batch.offset[0], batch.offset[0] + 54))).toEqual(frame);
      ring.release();
      expect(new DataView(memory).getUint32((round % 2) * BLOCK + 8, true)).toBe(0);
      expect(ring.fill()).toBe(false);
    }
  });

  it('puts VLAN tags back, leaves out what loopback gives twice, counts what the card did not stamp', () => {
    const memory = new ArrayBuffer(2 * BLOCK);
    const ring = new Ring(memory, { ...shape, loopback: true, cardTime: true });
    const both = (1 << 4) | (1 << 6);
    block(memory, 0, [
      { frame, status: both, tci: 0x6007, tpid: 0x88a8 },
      { frame, status: 1 << 4, tci: 7 },
      { frame, outgoing: true },
      { frame, status: 1 << 31 },
    ]);
    ring.fill();
    const { batch } = ring;
    const text = (n: number): string =>
      Buffer.from(batch.data.subarray(batch.offset[n], batch.offset[n] + 18)).toString('hex');
    expect(batch.length).toBe(3);
    expect([text(0), text(1)]).toEqual(
      ['88a86007', '81000007'].map((tag) => `${'aa'.repeat(6)}${'bb'.repeat(6)}${tag}0800`),
    );
    expect([...batch.wireLength.subarray(0, 3)]).toEqual([58, 58, 54]);
    expect([ring.restoredTags, ring.unstamped]).toEqual([2, 2]);
  });

  it('never leaves a block, whatever its numbers say', () => {
    const memory = new ArrayBuffer(2 * BLOCK);
    const ring = new Ring(memory, shape);
    block(memory, 0, [{ frame }]);
    new DataView(memory).setUint32(12, 1e6, true);
    new DataView(memory).setUint32(64 + 12, 1 << 30, true);
    while (ring.fill()) ring.release();
    expect(ring.badBlocks).toBeGreaterThan(0);
  });
});

/** Needs CAP_NET_RAW: skipped without. */
describe('live source', () => {
  it('gives the packets of loopback, decoded by two threads, and ends them', async (context) => {
    const names = new Names();
    const metrics = new Metrics();
    const ports: number[] = [];
    const layers = new Set<string>();
    const intake: Intake = {
      packets() {},
      flows() {},
      series() {},
      rows: ({ words, length }) => {
        for (let n = 0; n < length; n++) {
          ports.push(words[n * ROW + PORTS] >>> 16);
          layers.add(names.layers.text(words[n * ROW + LAYERS]));
        }
      },
    };
    const receiver = createSocket('udp4').bind(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address();
    const options = { name: 'lo', type: 'live', interface: 'lo', filter: `udp dst port ${port}`, workers: 2 } as const;
    const source = new LiveSource(
      { ...options, ring: 2, promiscuous: false, timestamps: 'kernel', fallback: false },
      {
        names,
        metrics,
        folders: [],
        start: startLiveWorker,
        logger: pino({ level: 'silent' }),
        fallback: () => source,
      },
    );
    try {
      await source.start(() => {});
    } catch (cause) {
      receiver.close();
      if ((cause as { code?: string }).code === 'live.permission') return context.skip('no right to open a ring');
      throw cause;
    }
    const sender = createSocket('udp4').bind(0, '127.0.0.1');
    await once(sender, 'listening');
    for (let n = 0; n < 50; n++) sender.send(`packet ${n}`, port, '127.0.0.1');
    for (let k = 0; k < 1000 && ports.length < 50; k++) {
      source.poll(intake, 100);
      await sleep(10);
    }
    expect(ports).toEqual(Array.from({ length: 50 }, () => sender.address().port));
    expect([...layers]).toEqual(['eth ipv4 udp']);
    expect(source.status()).toMatchObject({ rings: 2, packets: 50, kernelDrops: 0 });
    await source.stop();
    expect(source.status()).toMatchObject({ rings: 0, packets: 50, received: 100 });
    sender.close();
    receiver.close();
  });
});
