import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Receiver, status } from '../notify/receiver.ts';
import { ROOT } from '../support/replay.ts';
import { answersOf, differences } from './answers.ts';
import { type RotatedFile, rotatedSet } from './rotated-set.ts';

/**
 * `npm run test:kill -- --seed N --count N`: `weir run` reads a folder into which rotated captures are written; it is
 * killed at random moments (also while it takes a checkpoint, reloads or delivers), started again, and in the end must
 * have told, sent and stored the same as a run that nobody interrupted, byte for byte.
 */
const PACKETS_A_FILE = 1500;
const READY = /"code":"source.started"/;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string' },
    seconds: { type: 'string' },
    keep: { type: 'boolean' },
  },
});
const seed = Number(values.seed ?? 1);
const count = Number(values.count ?? 100);
/** No more kills after this time: for slow machines. */
const mostMs = 1000 * Number(values.seconds ?? Number.POSITIVE_INFINITY);

/** mulberry32: the same seed, the same moments. */
function randomOf(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Place {
  readonly folder: string;
  readonly config: string;
  readonly spool: string;
  readonly store: string;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.spool = join(folder, 'spool');
    this.store = join(folder, 'state');
    this.config = join(folder, 'weir.yaml');
    mkdirSync(this.spool, { recursive: true });
    writeFileSync(
      this.config,
      `version: 1
sources: [{name: spool, type: directory, path: spool, pattern: "trace-*", poll: 200ms}]
nets: {home: [192.0.2.0/24, 198.51.100.0/24, "2001:db8::/32"]}
channels: [{name: hook, type: webhook, url: "http://127.0.0.1:${port}/hook", secret: s}]
checkpoint: {interval: 150ms}
`,
    );
  }

  run(...more: string[]): ChildProcess {
    return spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '-c', this.config, ...more], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, WEIR_LOG_LEVEL: 'info' },
    });
  }
}

/** Writes the set into a folder the way a capturing program does: piece by piece, then the next file. */
class Writer {
  readonly #place: Place;
  readonly #files: RotatedFile[];
  readonly #random: () => number;
  #file = 0;
  #at = 0;

  constructor(place: Place, files: RotatedFile[], random: () => number) {
    this.#place = place;
    this.#files = files;
    this.#random = random;
  }

  get done(): boolean {
    return this.#file === this.#files.length;
  }

  /** Up to `bytes` more, cut anywhere; sometimes an older file is compressed, as rotating writers do. */
  write(bytes: number): void {
    for (let left = Math.ceil(bytes); left > 0 && !this.done; ) {
      const { name, bytes: content } = this.#files[this.#file];
      const piece = content.subarray(this.#at, this.#at + left);
      appendFileSync(join(this.#place.spool, name), piece);
      this.#at += piece.length;
      left -= piece.length;
      if (this.#at < content.length) continue;
      if (this.#file > 0 && this.#random() < 0.3) this.#compress(this.#files[this.#file - 1]);
      this.#file++;
      this.#at = 0;
    }
  }

  #compress({ name, bytes }: RotatedFile): void {
    const path = join(this.#place.spool, name);
    const beside = join(this.#place.folder, 'half.gz');
    writeFileSync(beside, gzipSync(bytes));
    renameSync(beside, `${path}.gz`);
    rmSync(path, { force: true });
  }
}

/** Resolves with the text of standard error once it shows that sources run, or the process is over. */
function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    let text = '';
    child.stderr?.on('data', (part: Buffer) => {
      text = (text + part).slice(-20_000);
      if (READY.test(text)) resolve();
    });
    child.on('close', () => resolve());
  });
}

async function main(): Promise<void> {
  const random = randomOf(seed);
  const files = await rotatedSet(PACKETS_A_FILE);
  const total = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const root = mkdtempSync(join(tmpdir(), 'weir-kill-'));
  const receiver = new Receiver();
  receiver.behave = (response, _, n) => {
    if (n % 7 === 3) return status(500)(response, _, n);
    setTimeout(() => response.end('taken'), n % 3 === 0 ? 200 : 0);
  };
  await receiver.listen();
  const port = Number(new URL(receiver.url).port);
  const place = new Place(join(root, 'killed'), port);
  const writer = new Writer(place, files, random);
  const tally = { kills: 0, reloads: 0, early: 0 };
  const beganMs = performance.now();
  while (tally.kills < count && performance.now() - beganMs < mostMs) {
    const child = place.run();
    const closed = new Promise((resolve) => child.on('close', resolve));
    if (random() < 0.15) tally.early++;
    else await started(child);
    const steps = Math.floor(random() * 8);
    for (let step = 0; step < steps; step++) {
      writer.write((total / count / 4) * random() * 2);
      await sleep(random() * 80);
      if (random() < 0.15 && child.exitCode === null) {
        child.kill('SIGHUP');
        tally.reloads++;
      }
    }
    await sleep(random() * 120);
    child.kill('SIGKILL');
    await closed;
    tally.kills++;
  }
  writer.write(total);
  await lastRun(place);

  const reference = new Place(join(root, 'whole'), port);
  new Writer(reference, files, () => 1).write(total);
  await lastRun(reference);
  const killed = await answersOf(place.config, place.store);
  const whole = await answersOf(reference.config, reference.store);
  await receiver.close();
  const wrong = [...differences(whole, killed), ...twofold(receiver)];
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(0);
  const facts = { seed, ...tally, seconds, packets: files.reduce((sum, { packets }) => sum + packets, 0) };
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

async function lastRun(place: Place): Promise<void> {
  const child = place.run('--until-done', '--drain-timeout', '60s');
  let text = '';
  child.stderr?.on('data', (part: Buffer) => {
    text += part;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`weir run --until-done ended with ${code}\n${text.slice(-4000)}`);
}

await main();
