import type { ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openState, readTransitions } from '../../src/store/store.ts';
import { Receiver } from '../notify/receiver.ts';
import { netflowV5, RECORDS, type StoredFlow, storedFlows, valuesOf } from './netflow.ts';
import { closed, Place, shows } from './place.ts';
import { randomOf } from './random.ts';

/**
 * `npm run test:kill:exporter -- --seed N --count N`: `weir run` collects NetFlow while it is killed and started again.
 * Datagrams are sent once, so what came after the last checkpoint and before the next start may be missing from the
 * history; nothing else may, nothing may be there twice or otherwise than it was sent, and no alert may be told twice.
 */
const { values } = parseArgs({ options: { seed: { type: 'string' }, count: { type: 'string' } } });
const seed = Number(values.seed ?? 1);
const count = Number(values.count ?? 20);
/** Datagrams on their way, and how late the log is read. */
const SLACK_MS = 1000;
const EVERY_MS = 20;

/** Fires while datagrams come and ends when the exporter is away. */
const RULE = `version: 1
rules:
- id: busy
  title: Much is sent
  match: proto udp
  by: [dst.ip]
  window: 1s
  measure: {pps: rate(packets)}
  when: {warning: pps > 3}
`;

const random = randomOf(seed);
const socket: Socket = createSocket('udp4');
/** When each datagram was sent, milliseconds. */
const sentMs: number[] = [];
/** Spans of time in which a datagram may be lost. */
const gaps: [number, number][] = [];

/** Sends for a while. */
async function send(port: number, forMs: number): Promise<void> {
  for (const startMs = performance.now(); performance.now() - startMs < forMs; await sleep(EVERY_MS)) {
    for (let k = Math.ceil(4 * random()); k > 0; k--) {
      const datagram = netflowV5(sentMs.length, Date.now());
      sentMs.push(performance.now());
      socket.send(datagram, port, '127.0.0.1');
    }
  }
}

/** Notes when the state of the newest complete checkpoint was taken. */
function checkpoints(child: ChildProcess): { lastMs: number } {
  const seen = { lastMs: performance.now() };
  child.stderr?.on('data', (part: Buffer) => {
    for (const [, pause, write] of String(part).matchAll(
      /"checkpoint.written".*?"pauseMs":([\d.]+),"writeMs":([\d.]+)/g,
    ))
      seen.lastMs = performance.now() - Number(pause) - Number(write);
  });
  return seen;
}

async function killed(place: Place, port: number): Promise<void> {
  const child = place.run();
  const over = closed(child);
  const seen = checkpoints(child);
  await shows(child);
  endGap();
  await send(port, 500 + 3500 * random());
  child.kill('SIGKILL');
  await over;
  gaps.push([seen.lastMs - SLACK_MS, Number.POSITIVE_INFINITY]);
  await send(port, 100 * random());
}

function endGap(): void {
  const last = gaps[gaps.length - 1];
  if (last) last[1] = performance.now() + SLACK_MS;
}

/** What is wrong with the flows that were stored. */
function wrongFlows(flows: readonly StoredFlow[]): { wrong: string[]; missing: number } {
  const found = new Map<number, number>();
  const wrong: string[] = [];
  for (const flow of flows) {
    found.set(flow.n, (found.get(flow.n) ?? 0) + 1);
    const { packets, bytes } = valuesOf(flow.n);
    if (flow.packets !== packets || flow.bytes !== bytes) wrong.push(`flow ${flow.n} is not as it was sent`);
  }
  for (const [n, times] of found) if (times > 1) wrong.push(`flow ${n} is there ${times} times`);
  let missing = 0;
  for (let n = 0; n < sentMs.length * RECORDS; n++) {
    if (found.has(n)) continue;
    missing++;
    const ms = sentMs[Math.floor(n / RECORDS)];
    if (!gaps.some(([from, until]) => ms >= from && ms <= until)) wrong.push(`flow ${n} is missing`);
  }
  return { wrong, missing };
}

function wrongAlerts(store: string, { got }: Receiver): string[] {
  const db = openState(store, { readOnly: true });
  const all = readTransitions(db, {});
  db.close();
  const wrong: string[] = [];
  for (const [id, told] of Map.groupBy(all, ({ alertId }) => alertId)) {
    const states = told.map(({ state }) => state);
    if (states.some((state, i) => state === states[i - 1])) wrong.push(`alert ${id}: ${states.join(' ')}`);
  }
  for (const [key, requests] of Map.groupBy(got, ({ headers }) => String(headers['idempotency-key'])))
    if (new Set(requests.map(({ body }) => body)).size > 1) wrong.push(`${key}: sent with different contents`);
  return wrong;
}

const root = mkdtempSync(join(tmpdir(), 'weir-kill-'));
const receiver = new Receiver();
await receiver.listen();
const port = 20_000 + Math.floor(20_000 * random());
const source = `{name: routers, type: netflow, listen: "127.0.0.1:${port}", delay: 1s}`;
const place = new Place(join(root, 'killed'), source, Number(new URL(receiver.url).port), 'rules: [rule.yaml]\n');
writeFileSync(join(place.folder, 'rule.yaml'), RULE);
for (let kill = 0; kill < count; kill++) await killed(place, port);
const last = place.run();
const over = closed(last);
await shows(last);
endGap();
await send(port, 1000);
await sleep(SLACK_MS);
last.kill('SIGTERM');
const code = await over;
socket.close();
await receiver.close();
const { wrong, missing } = wrongFlows(await storedFlows(place.store));
wrong.push(...wrongAlerts(place.store, receiver));
if (receiver.got.length === 0) wrong.push('no alert was told');
if (code !== 0) wrong.push(`the last run ended with ${code}`);
const facts = {
  source: 'netflow',
  seed,
  kills: count,
  flows: sentMs.length * RECORDS,
  missing,
  messages: receiver.got.length,
};
process.stdout.write(`${JSON.stringify({ ...facts, good: wrong.length === 0 })}\n`);
for (const line of wrong.slice(0, 20)) process.stdout.write(`${line}\n`);
rmSync(root, { recursive: true, force: true });
if (wrong.length > 0) process.exitCode = 1;
