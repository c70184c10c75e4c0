import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin, Producer } from '@platformatic/kafka';
import { pino } from 'pino';
import { Metrics } from '../../src/core/metrics.ts';
import { type KafkaOptions, KafkaSource, kafkaOptions } from '../../src/log/log.ts';
import type { Intake } from '../../src/model/intake.ts';
import { Names } from '../../src/model/names.ts';

/**
 * TLS and SASL against a real broker: `KAFKA_SECURE=FOLDER node test/log/kafka-secure.ts`. The broker listens on 127.0.0.1:
 * 19092 plain, 19094 SASL, 19095 SASL over TLS, 19096 TLS that asks for a certificate; FOLDER has ca.pem, cli.pem, cli.key.
 * It knows the user weir (s3cret) by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
 */
const folder = process.env['KAFKA_SECURE'] ?? '.';
const topic = `weir-secure-${randomUUID()}`;
const file = (name: string): string => join(folder, name);
const sasl = (mechanism: string, password = 's3cret'): object => ({ sasl: { mechanism, username: 'weir', password } });
const tls = { tls: { ca: file('ca.pem') } };
const WAYS: [string, number, object, string | null][] = [
  ['nothing', 19092, {}, null],
  ['SASL PLAIN', 19094, sasl('plain'), null],
  ['SASL SCRAM-SHA-256', 19094, sasl('scram-sha-256'), null],
  ['SASL SCRAM-SHA-512', 19094, sasl('scram-sha-512'), null],
  ['SASL PLAIN over TLS', 19095, { ...sasl('plain'), ...tls }, null],
  ['SASL SCRAM-SHA-512 over TLS', 19095, { ...sasl('scram-sha-512'), ...tls }, null],
  ['TLS with an own certificate', 19096, { tls: { ...tls.tls, cert: file('cli.pem'), key: file('cli.key') } }, null],
  ['a wrong password, PLAIN', 19094, sasl('plain', 'wrong'), 'uthenticat'],
  ['a wrong password, SCRAM', 19094, sasl('scram-sha-256', 'wrong'), 'uthenticat'],
  ['an authority that is not known', 19095, { ...sasl('plain'), tls: true }, 'certificate'],
  ['TLS without the certificate that is asked for', 19096, tls, ''],
];

let failed = false;
const admin = new Admin({ clientId: 'weir-test', bootstrapBrokers: ['127.0.0.1:19092'] });
await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
const producer = new Producer({ clientId: 'weir-test', bootstrapBrokers: ['127.0.0.1:19092'] });
const value = Buffer.from(
  '{"type":"IPFIX","sampler_address":"192.0.2.9","packets":7,"src_addr":"192.0.2.1","dst_addr":"192.0.2.2"}',
);
await producer.send({ messages: [{ topic, key: Buffer.from('k'), value }], acks: -1 });

async function read(options: KafkaOptions): Promise<{ rows: number; error: string | null }> {
  const source = new KafkaSource(options, {
    names: new Names(),
    metrics: new Metrics(),
    logger: pino({ level: 'silent' }),
  });
  let rows = 0;
  const add = ({ length }: { length: number }): void => {
    rows += length;
  };
  const intake: Intake = { packets() {}, rows() {}, series() {}, flows: add };
  await source.start(() => {});
  for (let k = 0; k < 200 && rows === 0 && source.error === null; k++) {
    source.poll(intake, 100);
    await sleep(50);
  }
  const error = source.error?.message ?? null;
  await source.stop();
  return { rows, error };
}

readFileSync(file('ca.pem'));
for (const [name, port, security, wanted] of WAYS) {
  const options = { name: 'k', type: 'kafka', brokers: [`127.0.0.1:${port}`], topics: [topic], group: randomUUID() };
  const { rows, error } = await read(kafkaOptions.parse({ ...options, ...security }));
  const good = wanted === null ? rows === 1 && error === null : rows === 0 && error !== null && error.includes(wanted);
  console.log(`${good ? 'ok  ' : 'FAIL'} ${name}: ${rows} messages${error === null ? '' : `, "${error}"`}`);
  failed ||= !good;
}
await producer.close();
await admin.deleteTopics({ topics: [topic] });
await admin.close();
setTimeout(() => process.exit(failed ? 1 : 0), 300);
