import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { startCollectorWorker } from '../../src/collector-thread.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { type CollectorSource, createCollector, sourceOptions } from '../../src/exporter/exporter.ts';
import { hasNativeSocket } from '../../src/exporter/native-library.ts';
import { spreadOf } from '../../src/exporter/spread.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import type { Intake } from '../../src/model/intake.ts';
import { Names } from '../../src/model/names.ts';
import { data, ipfix, record, set, template, templateRecord, V4 } from './decode.ts';

/** Loopback addresses that are exporters. */
const EXPORTERS = Array.from({ length: 8 }, (_, i) => `127.0.0.${i + 1}`);

const open: CollectorSource[] = [];
afterEach(async () => {
  for (const source of open.splice(0)) await source.stop();
});

function collector(more: Record<string, unknown>) {
  const names = new Names();
  const metrics = new Metrics();
  const anyTime = { age: '10000d', ahead: '10000d' };
  const options = sourceOptions[0].parse({ name: 'c', type: 'netflow', listen: '127.0.0.1:0', ...anyTime, ...more });
  const frames = new Decoder({ names }, { metrics: new Metrics() });
  const deps = { names, metrics, logger: silentLogger(), clock: systemClock, frames };
  const source = createCollector(options, { ...deps, startWorker: startCollectorWorker });
  open.push(source);
  const rows: string[] = [];
  const intake: Intake = {
    packets() {},
    rows() {},
    series() {},
    flows(batch: FlowBatch) {
      for (let n = 0; n < batch.length; n++)
        rows.push(`${names.exporters.text(batch.exporter[n])} ${batch.octetDeltaCount[n]}`);
    },
  };
  return { source, metrics, rows, intake, names };
}

type One = ReturnType<typeof collector>;

async function until(one: One, isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    one.source.poll(one.intake, 1000);
    await new Promise(setImmediate);
  }
}

/** Sends from each of the exporters, one socket each. */
async function send(one: One, datagrams: Uint8Array[]): Promise<void> {
  for (const address of EXPORTERS) {
    const socket = createSocket('udp4');
    await new Promise<void>((done) => socket.bind(0, address, done));
    for (const bytes of datagrams) {
      await new Promise((done) => socket.send(bytes, one.source.port, '127.0.0.1', done));
    }
    socket.close();
  }
}

const counted = (one: One, name: string): number => one.metrics.snapshot()[`weir_exporter_${name}`] ?? 0;

describe.skipIf(!hasNativeSocket)('a collector with threads', () => {
  it.each([1, 2, 3])('%i: every record of every exporter, once', async (workers) => {
    const one = collector({ workers });
    await one.source.start(() => {});
    await send(one, [template, data(10), data(20)]);
    await until(one, () => one.rows.length >= 2 * EXPORTERS.length);
    await until(one, () => one.source.exporters().length === EXPORTERS.length);
    const wanted = EXPORTERS.flatMap((exporter) => [`${exporter} 10`, `${exporter} 20`]);
    expect(one.rows.toSorted()).toEqual(wanted.toSorted());
    expect(counted(one, 'records_total')).toBe(wanted.length);
    expect(counted(one, 'datagrams_total')).toBe(3 * EXPORTERS.length);
    expect(counted(one, 'held_sets_total')).toBe(0);
  });

  it('exporters spread over several', () => {
    const places = EXPORTERS.map((exporter) => spreadOf(exporter, 2));
    expect(new Set(places)).toEqual(new Set([0, 1]));
  });

  it.each([
    [1, 2],
    [2, 1],
    [2, 0],
    [0, 2],
  ])(
    'a restart from %i to %i threads loses no template, no set that waits, and no row on its way',
    async (first, then) => {
      const before = collector({ workers: first });
      await before.source.start(() => {});
      const other = ipfix(0, 9, set(300, record(90)));
      await send(before, [template, data(10), other]);
      const sent = 3 * EXPORTERS.length;
      while (counted(before, 'datagrams_total') + Number(before.source.status()['waiting']) < sent) {
        // Datagrams and rows stay where they are: nobody polls for more than the counts.
        before.source.poll(before.intake, 0);
        await new Promise(setImmediate);
      }
      const out = new StateWriter();
      before.source.save(out);
      before.names.save(out);

      const after = collector({ workers: then });
      const state = new StateReader(out.concat());
      after.source.restore(state);
      after.names.restore(state);
      await after.source.start(() => {});
      await send(after, [data(20), ipfix(0, 9, set(2, templateRecord(300, V4)))]);
      await until(after, () => before.rows.length + after.rows.length >= 3 * EXPORTERS.length);
      const wanted = EXPORTERS.flatMap((exporter) => [10, 20, 90].map((octets) => `${exporter} ${octets}`));
      expect([...before.rows, ...after.rows].toSorted()).toEqual(wanted.toSorted());
      expect(after.source.exporters().length).toBeLessThanOrEqual(EXPORTERS.length);
    },
  );

  it('saves what it has on its way, and gives it all the same', async () => {
    const one = collector({ workers: 2 });
    await one.source.start(() => {});
    await send(one, [template, data(10)]);
    while (counted(one, 'datagrams_total') < 2 * EXPORTERS.length) {
      one.source.poll(one.intake, 0);
      await new Promise(setImmediate);
    }
    one.source.save(new StateWriter());
    await until(one, () => one.rows.length >= EXPORTERS.length);
    expect(one.rows.length).toBe(EXPORTERS.length);
  });

  it('saved again and again while datagrams come: every record once', async () => {
    const one = collector({ workers: 2 });
    await one.source.start(() => {});
    const many = Array.from({ length: 100 }, (_, i) => data(i + 1));
    let isSent = false;
    const sending = send(one, [template, ...many]).then(() => {
      isSent = true;
    });
    const wanted = EXPORTERS.flatMap((exporter) => many.map((_, i) => `${exporter} ${i + 1}`));
    await until(one, () => {
      one.source.save(new StateWriter());
      return isSent && one.rows.length >= wanted.length;
    });
    await sending;
    expect(one.rows.toSorted()).toEqual(wanted.toSorted());
  });

  it('counts what the queue has no room for: sent is received and dropped', async () => {
    const one = collector({ workers: 1, queue: '2KiB' });
    await one.source.start(() => {});
    const many = Array.from({ length: 60 }, (_, i) =>
      ipfix(0, 1, set(256, ...Array.from({ length: 60 }, () => record(i)))),
    );
    await send(one, [template]);
    for (let i = 0; i < 10; i++) await send(one, many);
    const sent = EXPORTERS.length * (1 + 10 * many.length);
    const dropped = () =>
      counted(one, 'dropped_total{cause="queue_full"}') + Number(one.source.status()['kernelDrops']);
    await until(one, () => counted(one, 'datagrams_total') + Number(dropped()) >= sent);
    expect(counted(one, 'datagrams_total') + Number(dropped())).toBe(sent);
  });

  it('leaves its port free when it stops', async () => {
    const one = collector({ workers: 2 });
    await one.source.start(() => {});
    const { port } = one.source;
    await one.source.stop();
    const next = collector({ listen: `127.0.0.1:${port}` });
    await next.source.start(() => {});
    expect(next.source.port).toBe(port);
  });
});
