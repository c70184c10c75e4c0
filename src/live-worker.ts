import { workerData } from 'node:worker_threads';
import { Metrics } from './core/metrics.ts';
import { Decoder, EARLY_FRAGMENTS } from './decode/decode.ts';
import { LIVE_ENTRY, type LiveCounts, type LiveWorkerData, Ring, viewMemory } from './live/live.ts';
import { FlowRingWriter } from './model/flow-ring.ts';
import { NameFeed } from './model/name-feed.ts';
import { Names } from './model/names.ts';
import { PacketRows } from './model/packet-rows.ts';

/** How often an empty ring is looked at, and how often counts are told. */
const LOOK_MS = 5;
const TELL_MS = 1000;
const ROWS = 512;

/**
 * The reading half of a live capture on a thread of its own: frames are decoded where the kernel put them, and a block goes
 * back to it as soon as its packets are on their way. Names go before the packets that carry their ids.
 */
const { memory, ring: shape, share } = workerData as LiveWorkerData;
const writer = new FlowRingWriter(memory);
const names = new Names(share);
const metrics = new Metrics();
const feed = new NameFeed(names);
const decoder = new Decoder({ names, maxEarlyFragments: EARLY_FRAGMENTS }, { metrics });
const rows = new PacketRows(Math.min(ROWS, writer.packetRoom));
const ring = new Ring(await viewMemory(shape.address, shape.blockBytes * shape.blocks), shape);
let toldMs = performance.now();

function give(): void {
  const { batch } = ring;
  for (let at = 0; at < batch.length; ) {
    at += decoder.decode(batch, at, batch.length, rows);
    if (rows.length === 0) continue;
    const fresh = feed.fresh();
    if (fresh !== null) writer.text(LIVE_ENTRY.names, fresh);
    writer.packets(LIVE_ENTRY.packets, rows);
  }
}

/** What grew since the last time; the counters of this thread begin anew. */
function tell(): void {
  toldMs = performance.now();
  const counters = metrics.all().filter(({ value }) => value > 0);
  const { restoredTags, badBlocks, unstamped } = ring;
  const counts: LiveCounts = { restoredTags, badBlocks, unstamped, counters };
  writer.text(LIVE_ENTRY.counts, JSON.stringify(counts));
  for (const counter of counters) counter.value = 0;
  ring.restoredTags = 0;
  ring.badBlocks = 0;
  ring.unstamped = 0;
}

while (!writer.closed) {
  if (ring.fill()) {
    give();
    ring.release();
  } else writer.sleep(LOOK_MS);
  if (performance.now() - toldMs >= TELL_MS) tell();
}
