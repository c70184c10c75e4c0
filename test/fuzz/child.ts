import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Cases, GROUP } from './cases.ts';
import { readSeeds, SEED_FOLDERS } from './seeds.ts';

/** What the process that watches tells the one that works. */
export interface Orders {
  seed: number;
  /** Cases `first <= n < last`, each `step`-th group of them, beginning with group `offset`. */
  first: number;
  last: number;
  step: number;
  offset: number;
  /** Cases up to this one are done. */
  after: number;
  /** Takes the number of the present case (8 bytes), and captures of replays. */
  folder: string;
}

export type Report =
  | { kind: 'ready'; seeds: number }
  | { kind: 'failure'; number: number; message: string }
  | { kind: 'memory'; share: number; megabytes: number }
  | { kind: 'done'; cases: number; slowestMs: number };

const HANG_MS = 2000;
const SAMPLES = 20;

const report = (message: Report): void => void process.send?.(message);
const orders = JSON.parse(process.argv[2]) as Orders;

/** Resident memory without garbage, in megabytes. */
function memory(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / 2 ** 20;
}

/** One case, and the processor time that it took; a slow one gets a second try, for code may have been compiled in it. */
async function runCase(cases: Cases, number: number): Promise<number> {
  let took = 0;
  for (let tries = 0; tries < 2; tries++) {
    const before = process.cpuUsage();
    try {
      await cases.run(number);
    } catch (error) {
      report({ kind: 'failure', number, message: error instanceof Error ? (error.stack ?? '') : String(error) });
    }
    const { user, system } = process.cpuUsage(before);
    took = (user + system) / 1000;
    if (took <= HANG_MS) return took;
  }
  report({ kind: 'failure', number, message: `took ${Math.round(took)} ms of processor time` });
  return took;
}

async function work(): Promise<void> {
  const seeds = await readSeeds(SEED_FOLDERS);
  const cases = new Cases(orders.seed, seeds, orders.folder);
  const place = openSync(join(orders.folder, 'case'), 'w');
  const present = new Float64Array(1);
  report({ kind: 'ready', seeds: seeds.length });
  const groups = Math.ceil((orders.last - orders.first) / GROUP);
  let count = 0;
  let slowestMs = 0;
  let sample = 0;
  for (let group = orders.offset; group < groups; group += orders.step) {
    const from = orders.first + group * GROUP;
    if (from + GROUP - 1 <= orders.after) continue;
    for (let number = from; number < Math.min(from + GROUP, orders.last); number++, count++) {
      if (number <= orders.after) continue;
      present[0] = number;
      writeSync(place, present, 0, 8, 0);
      slowestMs = Math.max(slowestMs, await runCase(cases, number));
    }
    if ((group + orders.step) / groups >= (sample + 1) / SAMPLES) {
      report({ kind: 'memory', share: ++sample / SAMPLES, megabytes: memory() });
    }
    await setImmediate();
  }
  report({ kind: 'done', cases: count, slowestMs });
  process.disconnect?.();
}

await work();
