import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Receiver, status } from '../notify/receiver.ts';
import { answersOf, differences } from './answers.ts';
import { captureFeed, type Feed, logFeed, type Writer } from './feed.ts';
import { closed, Place, shows } from './place.ts';
import { randomOf } from './random.ts';

/**
 * `npm run test:kill -- --seed N --count N --source capture|log`: `weir run` reads a folder into which rotated captures are
 * written (or a log that is rotated); it is killed at random moments (also while it takes a checkpoint, reloads or
 * delivers), started again, and in the end must have told, sent and stored the same as a run that nobody interrupted,
 * byte for byte.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string' },
    seconds: { type: 'string' },
    source: { type: 'string' },
    keep: { type: 'boolean' },
  },
});
const seed = Number(values.seed ?? 1);
const count = Number(values.count ?? 100);
/** No more kills after this time: for slow machines. */
const mostMs = 1000 * Number(values.seconds ?? Number.POSITIVE_INFINITY);
const random = randomOf(seed);
const MOST_WORKERS = 2;
const tally = { kills: 0, reloads: 0, early: 0 };

/** A log is followed from where it is when weir begins: the first run must know it before it is rotated. */
async function first(place: Place, writer: Writer, feed: Feed): Promise<void> {
  writer.write(feed.bytes / 100);
  const child = place.run();
  const over = closed(child);
  await shows(child, /"code":"checkpoint.written"/);
  child.kill('SIGKILL');
  await over;
}

/** Each run takes up the state of another number of threads. */
async function oneKill(place: Place, writer: Writer, feed: Feed): Promise<void> {
  const child = place.run([], { WEIR_ENGINE_WORKERS: String(Math.floor(random() * (MOST_WORKERS + 1))) });
  const over = closed(child);
  if (random() < 0.15) tally.early++;
  else await shows(child);
  const steps = Math.floor(random() * 8);
  for (let step = 0; step < steps; step++) {
    writer.write((feed.bytes / count / 4) * random() * 2);
    await sleep(random() * 80);
    if (random() < 0.15 && child.exitCode === null) {
      child.kill('SIGHUP');
      tally.reloads++;
    }
  }
  await sleep(random() * 120);
  child.kill('SIGKILL');
  await over;
  tally.kills++;
}

async function main(): Promise<void> {
  const feed = await (values.source === 'log' ? logFeed() : captureFeed());
  const root = mkdtempSync(join(tmpdir(), 'weir-kill-'));
  const receiver = new Receiver();
  receiver.behave = (response, _, n) => {
    if (n % 7 === 3) return status(500)(response, _, n);
    setTimeout(() => response.end('taken'), n % 3 === 0 ? 200 : 0);
  };
  await receiver.listen();
  const port = Number(new URL(receiver.url).port);
  const place = new Place(join(root, 'killed'), feed.source, port);
  const writer = feed.writer(place.input, random);
  const beganMs = performance.now();
  if (values.source === 'log') await first(place, writer, feed);
  while (tally.kills < count && performance.now() - beganMs < mostMs) await oneKill(place, writer, feed);
  writer.write(feed.bytes);
  await place.lastRun();

  const reference = new Place(join(root, 'whole'), feed.source, port);
  feed.whole(reference.input);
  await reference.lastRun();
  const killed = await answersOf(place.config, place.store);
  const whole = await answersOf(reference.config, reference.store);
  await receiver.close();
  const wrong = [...differences(whole, killed), ...twofold(receiver)];
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(0);
  const facts = { source: values.source ?? 'capture', seed, ...tally, seconds, rows: feed.count };
  const sizes = Object.fromEntries(Object.entries(whole).map(([name, text]) => [name, text.split('\n').length]));
  process.stdout.write(`${JSON.stringify({ ...facts, lines: sizes, equal: wrong.length === 0 })}\n`);
  for (const line of wrong) process.stdout.write(`${line}\n`);
  if (wrong.length > 0) process.exitCode = 1;
  if (values.keep) process.stdout.write(`${root}\n`);
  else rmSync(root, { recursive: true, force: true });
}

/** Keys that the receiver got with different contents, from either run. */
function twofold({ got }: Receiver): string[] {
  const bodies = Map.groupBy(got, ({ headers }) => String(headers['idempotency-key']));
  return [...bodies].flatMap(([key, requests]) =>
    new Set(requests.map(({ body }) => body)).size > 1 ? [`${key}: sent with different contents`] : [],
  );
}

await main();
