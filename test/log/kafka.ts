import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin, Producer } from '@platformatic/kafka';
import { pino } from 'pino';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { type KafkaOptions, KafkaSource } from '../../src/log/log.ts';
import { Names } from '../../src/model/names.ts';

/**
 * Messages through a real broker (`KAFKA=127.0.0.1:19092 npm run test:kafka`): each enters once, though the source is
 * stopped in the middle and begins again from what it saved, whatever the group has committed.
 */
const brokers = [process.env['KAFKA'] ?? '127.0.0.1:19092'];
const COUNT = 4000;
const topic = `weir-test-${randomUUID()}`;
let failed = false;

const check = (good: boolean, text: string): void => {
  console.log(`${good ? 'ok  ' : 'FAIL'} ${text}`);
  failed ||= !good;
};

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
const field = (number: number, value: number): number[] => [...varint(8 * number), ...varint(value)];
const bytes = (number: number, value: number[]): number[] => [...varint(8 * number + 2), value.length, ...value];

/** GoFlow2's message, with its length before it as `-format bin` has it. */
function protobuf(n: number): Buffer {
  const message = [
    ...field(1, 4),
    ...field(3, 1),
    ...field(9, 100),
    ...field(10, n),
    ...bytes(11, [192, 0, 2, 9]),
    ...bytes(6, [192, 0, 2, 1]),
    ...bytes(7, [192, 0, 2, 2]),
    ...field(20, 17),
    ...field(21, 53),
    ...field(22, 1024),
    ...field(111, 1681583295157626000),
    ...field(112, 1681583295157626000),
  ];
  return Buffer.from([...varint(message.length), ...message]);
}

const json = (n: number): Buffer =>
  Buffer.from(
    `{"type":"IPFIX","sampling_rate":1,"sampler_address":"192.0.2.9","time_received_ns":1681583295157626000,"bytes":100,"packets":${n},"src_addr":"192.0.2.1","dst_addr":"192.0.2.2","proto":"UDP"}`,
  );

async function read(
  options: KafkaOptions,
  state: Uint8Array | null,
  until: number,
  seen: number[],
): Promise<Uint8Array> {
  const source = new KafkaSource(options, {
    names: new Names(),
    metrics: new Metrics(),
    logger: pino({ level: 'warn' }),
  });
  if (state) source.restore(new StateReader(state));
  const intake = {
    packets() {},
    rows() {},
    series() {},
    flows(batch: { length: number; packetDeltaCount: Float64Array }): void {
      for (let n = 0; n < batch.length; n++) seen.push(batch.packetDeltaCount[n]);
    },
  };
  await source.start(() => {});
  for (let k = 0; k < 200 && seen.length < until; k++) {
    source.poll(intake, 500);
    await sleep(50);
  }
  const out = new StateWriter();
  source.save(out);
  const saved = out.concat().slice();
  await sleep(200);
  await source.stop();
  return saved;
}

async function exactlyOnce(
  format: KafkaOptions['format'],
  name: string,
  message: (n: number) => Buffer,
): Promise<void> {
  const own = `${topic}-${name}`;
  const admin = new Admin({ clientId: 'weir-test', bootstrapBrokers: brokers });
  await admin.createTopics({ topics: [own], partitions: 3, replicas: 1 });
  const producer = new Producer({ clientId: 'weir-test', bootstrapBrokers: brokers });
  const send = (from: number, to: number): Promise<unknown> =>
    producer.send({
      messages: Array.from({ length: to - from }, (_, i) => ({
        topic: own,
        key: Buffer.from(String(i % 7)),
        value: message(from + i),
      })),
      acks: -1,
    });
  await send(0, COUNT / 2);
  const options: KafkaOptions = {
    name: 'k',
    type: 'kafka',
    brokers,
    topics: [own],
    group: `g-${randomUUID()}`,
    format,
    from: 'earliest',
    delay: '1m',
  };
  const seen: number[] = [];
  const state = await read(options, null, COUNT / 4, seen);
  const first = seen.length;
  const lost: number[] = [];
  await read(options, state, 300, lost);
  await send(COUNT / 2, COUNT);
  await read(options, state, COUNT, seen);
  const once_ = new Set(seen).size === COUNT && seen.length === COUNT;
  check(
    once_,
    `${name}: ${seen.length} of ${COUNT} messages, ${new Set(seen).size} different; stopped after ${first}; ${lost.length} taken and lost in between`,
  );
  await producer.close();
  await admin.deleteTopics({ topics: [own] });
  await admin.close();
}

await exactlyOnce('goflow2-protobuf', 'protobuf', protobuf);
await exactlyOnce('goflow2', 'json', json);
if (failed) process.exitCode = 1;
setTimeout(() => process.exit(), 500);
await once(process, 'exit');
