import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type RotatedFile, rotatedSet } from '../kill/rotated-set.ts';
import { Receiver } from '../notify/receiver.ts';
import { ROOT } from '../support/replay.ts';

/**
 * `npm run test:soak -- --minutes N`: `weir run` reads rotated captures at half of the speed it can, the same traffic
 * again and again with its time moved on, checkpoints, history, deliveries and page as in life. Memory must not grow
 * by 2 % after the first tenth of an hour (30 % in minutes), descriptors not at all.
 */
const PACKETS_A_FILE = 40_000;
const KEPT_FILES = 20;
const SAMPLE_MS = 1000;
/** Rings and tables of bounded size are full after so many packets; slow machines get there as far as they can. */
const WARM_PACKETS = 1_500_000;
const MOST_WARM_S = 120;
/** Minutes tell only a gross leak from buffers that still fill (10 % was seen); before all is warm nothing is judged. */
const MOST_GROWTH = 0.02;
const MOST_GROWTH_SHORT = 0.3;
const SHORT_MINUTES = 20;
/** One left open a file would be thousands in an hour, hundreds in minutes; which files are open just then is chance. */
const MOST_MORE_FDS = 2;
const MOST_MORE_FDS_SHORT = 10;
const RETENTION = 'retention: {age: 12h, size: 200MB}';

const { values } = parseArgs({ options: { minutes: { type: 'string' } } });
const minutes = Number(values.minutes ?? 60);

interface Sample {
  rss: number;
  fds: number;
}

/** Moves all times of a classic pcap by whole seconds. */
function shifted({ bytes }: RotatedFile, seconds: number): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 24; at < copy.length; at += 16 + copy.readUInt32LE(at + 8)) {
    copy.writeUInt32LE(copy.readUInt32LE(at) + seconds, at);
  }
  return copy;
}

/** The set without end: round after round, each later by the span of the set. */
class Endless {
  readonly #files: RotatedFile[];
  readonly #spanS: number;
  #next = 0;

  constructor(files: RotatedFile[]) {
    this.#files = files;
    const last = files[files.length - 1].bytes;
    let lastAt = 24;
    for (let at = 24; at < last.length; at += 16 + last.readUInt32LE(at + 8)) lastAt = at;
    this.#spanS = last.readUInt32LE(lastAt) - files[0].bytes.readUInt32LE(24) + 60;
  }

  next(): { name: string; bytes: Buffer; packets: number } {
    const round = Math.floor(this.#next / this.#files.length);
    const file = this.#files[this.#next % this.#files.length];
    const name = `trace-${String(++this.#next).padStart(7, '0')}.pcap`;
    return { name, bytes: shifted(file, round * this.#spanS), packets: file.packets };
  }
}

const root = mkdtempSync(join(tmpdir(), 'weir-soak-'));
const spool = join(root, 'spool');
mkdirSync(spool);
const receiver = new Receiver();
await receiver.listen();
const config = join(root, 'weir.yaml');
writeFileSync(
  config,
  `version: 1
sources: [{name: spool, type: directory, path: spool, pattern: "trace-*", poll: 500ms}]
nets: {home: [192.0.2.0/24, 198.51.100.0/24, "2001:db8::/32"]}
store: {path: state, flush: 10s, ${RETENTION}}
channels: [{name: hook, type: webhook, url: "${receiver.url}", secret: s}]
http: {listen: "127.0.0.1:0"}
`,
);
const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '-c', config], {
  cwd: ROOT,
  stdio: ['ignore', 'ignore', 'pipe'],
  env: { ...process.env, WEIR_LOG_LEVEL: 'info' },
});
let page = '';
child.stderr.on('data', (part: Buffer) => {
  page ||= /"address":"(http[^"]+)"/.exec(String(part))?.[1] ?? '';
});
while (page === '') await sleep(50);

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${page}metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

const endless = new Endless(await rotatedSet(PACKETS_A_FILE));
const written: string[] = [];
let packets = 0;
function write(): void {
  const file = endless.next();
  writeFileSync(join(root, 'next'), file.bytes);
  renameSync(join(root, 'next'), join(spool, file.name));
  written.push(file.name);
  packets += file.packets;
  if (written.length > KEPT_FILES) rmSync(join(spool, written.shift()!), { force: true });
}

/** How fast it goes when there is always more: packets a second. */
async function calibrate(): Promise<number> {
  const startMs = performance.now();
  while (packets < WARM_PACKETS && performance.now() - startMs < MOST_WARM_S * 1000) {
    if ((await metric('weir_meter_packets_total')) > packets - 12 * PACKETS_A_FILE) for (let i = 0; i < 4; i++) write();
    await sleep(5);
  }
  return (await metric('weir_meter_packets_total')) / ((performance.now() - startMs) / 1000);
}

function sample(): Sample {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  return { rss, fds: readdirSync(`/proc/${child.pid}/fd`).length };
}

const full = await calibrate();
const half = full / 2;
const samples: Sample[] = [];
const startMs = performance.now();
const before = packets;
let sampledMs = startMs;
while (performance.now() - startMs < minutes * 60_000 && child.exitCode === null) {
  const due = before + (half * (performance.now() - startMs)) / 1000;
  while (packets < due) write();
  await sleep(20);
  if (performance.now() - sampledMs < SAMPLE_MS) continue;
  sampledMs = performance.now();
  samples.push(sample());
}

const read = await metric('weir_meter_packets_total');
const delayP99 = await metric('weir_event_loop_delay_p99_seconds');
const code = await new Promise<number | null>((resolve) => {
  child.on('close', resolve);
  child.kill('SIGTERM');
});
const tenth = Math.max(1, Math.floor(samples.length / 10));
const mean = (part: Sample[], of: keyof Sample) => part.reduce((sum, each) => sum + each[of], 0) / part.length;
const second = samples.slice(tenth, 2 * tenth);
const last = samples.slice(-tenth);
const growth = mean(last, 'rss') / mean(second, 'rss') - 1;
const fdsGrew = mean(last, 'fds') - mean(second, 'fds');
const warm = before >= WARM_PACKETS;
const [mostGrowth, mostFds] =
  minutes < SHORT_MINUTES ? [MOST_GROWTH_SHORT, MOST_MORE_FDS_SHORT] : [MOST_GROWTH, MOST_MORE_FDS];
const facts = {
  minutes,
  packetsASecond: Math.round(half),
  warm,
  packets: read,
  behind: packets - read,
  rssMB: [second, last].map((part) => Math.round(mean(part, 'rss') / 1e6)),
  growthPercent: Math.round(growth * 1000) / 10,
  descriptors: [second, last].map((part) => Math.round(mean(part, 'fds') * 10) / 10),
  eventLoopDelayP99Ms: Math.round(delayP99 * 10_000) / 10,
  delivered: receiver.got.length,
  exit: code,
};
process.stdout.write(`${JSON.stringify(facts)}\n`);
await receiver.close();
rmSync(root, { recursive: true, force: true });
if ((warm && growth > mostGrowth) || fdsGrew > mostFds || code !== 0) process.exitCode = 1;
