import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin, Producer } from '@platformatic/kafka';

/**
 * The daemon on a topic of a real broker (`KAFKA=127.0.0.1:19092 node test/log/kafka-kill.ts`), killed with SIGKILL while
 * it reads and while it takes checkpoints: in the end each message is in its history once.
 */
const brokers = [process.env['KAFKA'] ?? '127.0.0.1:19092'];
const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const ROUNDS = 8;
const MESSAGES = 1000;
const PIECE = 50;
/** Runs to the end that read what is left; on a slow machine one may not be enough. */
const RUNS = 4;

const topic = `weir-kill-${randomUUID()}`;
const folder = mkdtempSync(join(tmpdir(), 'weir-kafka-kill-'));
const config = join(folder, 'weir.yaml');
writeFileSync(
  config,
  `version: 1\nsources:\n- {name: k, type: kafka, brokers: [${JSON.stringify(brokers[0])}], topics: [${topic}], group: ${topic}, format: goflow2, idle: 2s}\n` +
    `rules: ["${resolve(import.meta.dirname, '../../rules')}"]\nstore: {path: st}\ncheckpoint: {interval: 1s}\nhttp: {listen: "127.0.0.1:0"}\n`,
);

let runs = 0;

function start(): ChildProcess {
  const log = openSync(join(folder, `log-${runs++}`), 'w');
  return spawn(process.execPath, [MAIN, 'run', '-c', config], { stdio: ['ignore', 'ignore', log] });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** Packet counts of all flows in the history: each message has its own. */
function kept(): number[] {
  const args = [MAIN, 'query', '-c', config, '--json', '--top', String(10 * ROUNDS * MESSAGES)];
  const text = execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number((JSON.parse(line) as { packetDeltaCount: number }).packetDeltaCount));
}

const admin = new Admin({ clientId: 'weir-test', bootstrapBrokers: brokers });
await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1 });
// Idempotent: a send that is tried again is in the topic once.
const producer = new Producer({ clientId: 'weir-test', bootstrapBrokers: brokers, idempotent: true });
let sent = 0;

/** Messages in small pieces over some seconds, as an exporter sends them. */
async function send(): Promise<void> {
  for (let piece = 0; piece < MESSAGES / PIECE; piece++) {
    const now = `${Date.now()}000000`;
    const messages = Array.from({ length: PIECE }, () => {
      const n = ++sent;
      const value = `{"type":"IPFIX","sampling_rate":1,"sampler_address":"192.0.2.9","time_received_ns":${now},"time_flow_start_ns":${now},"time_flow_end_ns":${now},"bytes":${100 * n},"packets":${n},"src_addr":"192.0.2.${n % 250}","dst_addr":"198.51.100.2","proto":"UDP","src_port":${n % 60_000},"dst_port":53}`;
      return { topic, key: Buffer.from(String(n % 7)), value: Buffer.from(value) };
    });
    await producer.send({ messages, acks: -1 });
    await sleep(100);
  }
}

for (let round = 0; round < ROUNDS; round++) {
  const child = start();
  // Every other round the signal may come before the daemon's first checkpoint.
  while (round % 2 === 1 && !readFileSync(join(folder, `log-${round}`), 'utf8').includes('source.started'))
    await sleep(50);
  await send();
  // Where in the daemon's second the signal comes differs from round to round.
  await sleep(1000 + 370 * round);
  await end(child, 'SIGKILL');
  console.log(`     killed after ${sent} messages`);
}
// What is in memory goes to the history at the end of a run.
let rows: number[] = [];
for (let run = 0; run < RUNS && rows.length < sent; run++) {
  const child = start();
  await sleep(15_000);
  await end(child, 'SIGTERM');
  rows = kept();
}
const different = new Set(rows).size;
const good = rows.length === sent && different === sent;
console.log(
  `${good ? 'ok  ' : 'FAIL'} ${sent} messages, ${ROUNDS} times killed: ${rows.length} flows in the history, ${different} different`,
);
await producer.close();
await admin.deleteTopics({ topics: [topic] });
await admin.close();
setTimeout(() => process.exit(good ? 0 : 1), 300);
