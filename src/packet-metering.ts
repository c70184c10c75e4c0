import { systemClock } from './core/clock.ts';
import { Metrics } from './core/metrics.ts';
import { Meter } from './meter/meter.ts';
import { FlowRingWriter } from './model/flow-ring.ts';
import { NameFeed } from './model/name-feed.ts';
import { Names } from './model/names.ts';
import { TIME_F64 } from './model/packet-rows.ts';
import { ENTRY, type PacketWork } from './packet-thread.ts';
import { readPackets } from './packets.ts';

/**
 * The reading half of a replay on a thread of its own: source, decoder and meter. What it finds goes through a ring, in
 * the order in which one thread alone would give it to the windows; names go before the rows that carry their ids.
 */
export async function meterPackets({ memory, input }: PacketWork): Promise<void> {
  const ring = new FlowRingWriter(memory);
  const names = new Names();
  const metrics = new Metrics();
  const feed = new NameFeed(names);
  let packets = 0;
  let share = Number.NaN;
  /** Records alone are of no use to windows, so nobody asks how far time has come. */
  const withSlices = input.meter?.slices !== false;

  function sendRows(kind: number, batch: Parameters<FlowRingWriter['rows']>[1]): void {
    const fresh = feed.fresh();
    if (fresh !== null) ring.text(ENTRY.names, fresh);
    ring.rows(kind, batch);
  }

  const meter = new Meter(input.meter ?? {}, {
    names,
    metrics,
    onSlices: (batch) => sendRows(ENTRY.slices, batch),
    onRecords: (batch) => sendRows(ENTRY.records, batch),
  });

  const errors = await readPackets(
    input,
    {
      notice: (message) => ring.text(ENTRY.notice, message),
      home: (home, learned) => ring.text(ENTRY.home, JSON.stringify({ home, learned })),
      rows: (rows) => {
        if (packets === 0) ring.mark(ENTRY.first, rows.doubles[TIME_F64]);
        packets += rows.length;
        meter.add(rows);
        if (withSlices) ring.mark(ENTRY.advance, meter.maxEventUs);
      },
      progress: (now) => {
        if (now === null || now - share < 0.001) return;
        share = now;
        ring.mark(ENTRY.packets, packets);
        ring.mark(ENTRY.progress, now);
      },
    },
    { names, metrics, clock: systemClock },
  );
  meter.end();
  ring.text(ENTRY.end, JSON.stringify({ packets, errors, counters: metrics.all() }));
}
