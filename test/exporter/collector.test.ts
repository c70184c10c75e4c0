import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { DatagramQueue } from '../../src/exporter/datagram-queue.ts';
import { type CollectorSource, createCollector, sourceOptions } from '../../src/exporter/exporter.ts';
import { MessageCutter } from '../../src/exporter/stream-listener.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import type { Intake } from '../../src/model/intake.ts';
import { Names } from '../../src/model/names.ts';
import { concat, data, EXPORT_TIME, template } from './decode.ts';

const open: CollectorSource[] = [];
afterEach(async () => {
  for (const source of open.splice(0)) await source.stop();
});

function collector(more: Record<string, unknown> = {}) {
  const names = new Names();
  const metrics = new Metrics();
  const type = (more['type'] as string | undefined) ?? 'netflow';
  const schema = sourceOptions[['netflow', 'ipfix', 'sflow'].indexOf(type)];
  const options = schema.parse({ name: 'c', type, listen: '127.0.0.1:0', ...more });
  const clock = new ManualClock(EXPORT_TIME * 1e6);
  const frames = new Decoder({ names }, { metrics: new Metrics() });
  const source = createCollector(options, { names, metrics, logger: silentLogger(), clock, frames });
  open.push(source);
  const octets: number[] = [];
  const intake: Intake = {
    packets() {},
    rows() {},
    series() {},
    flows(batch: FlowBatch) {
      for (let n = 0; n < batch.length; n++) octets.push(batch.octetDeltaCount[n]);
    },
  };
  return { source, metrics, octets, intake, clock };
}

/** Sends datagrams and polls until so many rows came. */
async function exchange(
  one: ReturnType<typeof collector>,
  datagrams: Uint8Array[],
  until: number | (() => boolean),
): Promise<void> {
  const done = typeof until === 'number' ? () => one.octets.length >= until : until;
  await one.source.start(() => {});
  const socket = createSocket('udp4');
  for (const bytes of datagrams) socket.send(bytes, one.source.port, '127.0.0.1');
  while (!done()) {
    one.source.poll(one.intake, 1000);
    await new Promise(setImmediate);
  }
  socket.close();
}

describe('a collector', () => {
  it('takes datagrams from its port', async () => {
    const one = collector();
    await exchange(one, [template, data(10), data(20)], 2);
    expect(one.octets).toEqual([10, 20]);
    expect(one.source.exporters()[0]).toMatchObject({ exporter: '127.0.0.1', version: 10, records: 2, templates: 1 });
  });

  it('knows its templates after a restart', async () => {
    const before = collector();
    await exchange(before, [template, data(10)], 1);
    const out = new StateWriter();
    before.source.save(out);
    const after = collector();
    after.source.restore(new StateReader(out.concat()));
    await exchange(after, [data(20)], 1);
    expect(after.octets).toEqual([20]);
  });

  it('leaves its port free when it stops', async () => {
    const one = collector();
    await one.source.start(() => {});
    const { port } = one.source;
    await one.source.stop();
    const next = collector({ listen: `127.0.0.1:${port}` });
    await exchange(next, [template, data(10)], 1);
    expect(next.octets).toEqual([10]);
  });

  it('of TLS asks for its files', () => {
    const { success } = sourceOptions[1].safeParse({ name: 'c', type: 'ipfix', listen: '[::]:4739', transport: 'tls' });
    expect(success).toBe(false);
  });

  it('quarantines records with impossible times', async () => {
    const one = collector({ age: '1h' });
    one.clock.advance(7_200_000);
    await exchange(one, [template, data(10)], () => one.source.exporters()[0]?.records === 1);
    expect(one.octets).toEqual([]);
    expect(one.metrics.snapshot()['weir_exporter_dropped_total{cause="impossible_time"}']).toBe(1);
  });

  it('says that an exporter is silent', async () => {
    const one = collector();
    await exchange(one, [template, data(10)], 1);
    one.clock.advance(600_000);
    one.source.poll(one.intake, 1000);
    expect(one.metrics.gauge('weir_exporter_silent_exporters{source="c"}', '').value).toBe(1);
  });

  it('takes IPFIX over TCP, cut anywhere', async () => {
    const one = collector({ type: 'ipfix', transport: 'tcp' });
    await one.source.start(() => {});
    const socket = connect(one.source.port, '127.0.0.1');
    const all = concat(template, data(10), data(20));
    socket.write(all.subarray(0, 37));
    socket.write(all.subarray(37));
    while (one.octets.length < 2) {
      one.source.poll(one.intake, 1000);
      await new Promise(setImmediate);
    }
    socket.destroy();
    expect(one.octets).toEqual([10, 20]);
  });
});

describe('IPFIX over TLS', () => {
  const tls = resolve(import.meta.dirname, '../notify/tls');
  const files = { cert: join(tls, 'test-only-cert.pem'), key: join(tls, 'test-only-key.pem') };

  it('is taken', async () => {
    const one = collector({ type: 'ipfix', transport: 'tls', ...files });
    await one.source.start(() => {});
    const socket = connectTls({ port: one.source.port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.write(concat(template, data(10), data(20)));
    while (one.octets.length < 2) {
      one.source.poll(one.intake, 1000);
      await new Promise(setImmediate);
    }
    socket.destroy();
    expect(one.octets).toEqual([10, 20]);
  });

  it('is refused to an exporter without a certificate, where authorities are named', async () => {
    const one = collector({ type: 'ipfix', transport: 'tls', ...files, ca: files.cert });
    await one.source.start(() => {});
    const socket = connectTls({ port: one.source.port, host: '127.0.0.1', rejectUnauthorized: false });
    const closed = new Promise((done) => socket.on('close', done));
    socket.on('error', () => {});
    socket.write(concat(template, data(10)));
    await closed;
    one.source.poll(one.intake, 1000);
    expect(one.octets).toEqual([]);
  });
});

describe('the queue', () => {
  it('gives every datagram back as it came, in order, or refuses it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(null)), { maxLength: 200 }),
        (steps) => {
          const queue = new DatagramQueue(100);
          const model: Uint8Array[] = [];
          for (const bytes of steps) {
            if (bytes !== null) {
              if (queue.push(bytes, 0, bytes.length, 'a', 1, 0)) model.push(bytes);
            } else if (queue.length > 0) {
              queue.shift((from, to) => expect(queue.data.slice(from, to)).toEqual(model.shift()));
            }
            expect(queue.length).toBe(model.length);
          }
          while (queue.length > 0) queue.shift((from, to) => expect(queue.data.slice(from, to)).toEqual(model.shift()));
        },
      ),
    );
  });
});

describe('messages in a stream', () => {
  it('are the same wherever it is cut', () => {
    const all = concat(template, data(1), template, data(2));
    fc.assert(
      fc.property(fc.array(fc.nat(all.length), { maxLength: 8 }), (cuts) => {
        const got: number[] = [];
        const cutter = new MessageCutter((message) => got.push(message.length));
        const places = [0, ...cuts.sort((a, b) => a - b), all.length];
        for (let i = 1; i < places.length; i++) expect(cutter.add(all.subarray(places[i - 1], places[i]))).toBe(true);
        expect(got).toEqual([template, data(1), template, data(2)].map((message) => message.length));
      }),
    );
  });

  it('of something else are refused', () => {
    expect(new MessageCutter(() => {}).add(new TextEncoder().encode('GET / HTTP/1.1'))).toBe(false);
  });
});
