import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Contender, checkWork, contenders, readTruth, type Setting } from './bench/contenders.ts';
import { growth } from './bench/growth.ts';
import { type Measured, measure } from './bench/process.ts';
import { stages } from './bench/stages.ts';
import { generate } from './generate.ts';

/**
 * `npm run bench`: weir beside a plain read, a meter in C and the peers that are installed, on a seeded capture, each as a
 * process of its own, in turn. Checks that each did the work. docs/performance.md keeps the table and says how to read it.
 *
 *     --packets N     packets of the capture (10,000,000)      --rounds N     rounds, of which the median counts (3)
 *     --only TEXT     contenders whose name has it, and C      --cmeter FILE  source of the meter in C
 *     --stages        what each stage and each rule costs      --growth [--most N]  cost by packets and by keys
 */
const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    cmeter: { type: 'string' },
    stages: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
    most: { type: 'string', default: '100000000' },
  },
});
const ROOT = join(import.meta.dirname, '../..');
const REFERENCE = 'C meter, mmap';

function prepare(): Setting {
  const packets = Number(values.packets);
  const folder = join(tmpdir(), 'weir-bench');
  mkdirSync(folder, { recursive: true });
  const capture = join(folder, `mix-${packets}.pcap`);
  let truth = readTruth(`${capture}.json`);
  if (truth === null || !existsSync(capture)) {
    process.stderr.write(`making ${capture}\n`);
    truth = generate(capture, packets);
    writeFileSync(`${capture}.json`, JSON.stringify(truth));
  }
  return { root: ROOT, folder, capture, truth, cMeter: values.cmeter ?? join(ROOT, '../shared/bench/cmeter.c') };
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

async function runAll(all: Contender[], setting: Setting): Promise<Map<string, Measured[]>> {
  const runs = new Map<string, Measured[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const contender of all) {
      if (runs.get(contender.name)!.length < round) continue;
      contender.before?.();
      const run = await measure(contender.command!).catch((error: Error) => {
        process.stderr.write(`${contender.name} is left out: ${error.message}\n`);
        return null;
      });
      if (run === null) continue;
      const checked = round === 0 ? await checkWork(contender, run, setting) : '';
      runs.get(contender.name)!.push({ ...run, output: '' });
      process.stderr.write(
        `round ${round + 1} ${contender.name}: ${run.wall.toFixed(2)} s ${checked && `(${checked} right)`}\n`,
      );
    }
  }
  return runs;
}

function report(all: Contender[], runs: Map<string, Measured[]>, setting: Setting): void {
  const { packets } = setting.truth;
  const reference = runs.get(REFERENCE);
  const present = all.filter(({ name }) => runs.get(name)!.length > 0);
  console.log(
    `${packets} packets, ${Math.round(statSync(setting.capture).size / 1e6)} MB, ${values.rounds} rounds in turn, medians; x C is the median of each round's ratio to "${REFERENCE}"\n`,
  );
  console.log('| who | what it does | M packets/s | x C | CPU s | RSS MB |\n|---|---|---|---|---|---|');
  for (const { name, does } of present) {
    const of = runs.get(name)!;
    const wall = median(of.map((run) => run.wall));
    const ratio = reference ? median(of.map((run, i) => reference[i].wall / run.wall)).toFixed(2) : '-';
    const cpu = median(of.map((run) => run.cpu)).toFixed(2);
    const rss = median(of.map((run) => run.rss)).toFixed(0);
    console.log(`| ${name} | ${does} | ${(packets / wall / 1e6).toFixed(2)} | ${ratio} | ${cpu} | ${rss} |`);
  }
  for (const { name } of present) reportThreads(name, runs.get(name)!);
}

/** Pauses of the garbage collector and heap of the round with the longest major pause. */
function reportThreads(name: string, runs: Measured[]): void {
  const worst = runs.toSorted((a, b) => longest(b) - longest(a))[0];
  worst.threads.forEach((thread, i) => {
    if (i === 0) console.log(`\n${name}: garbage collection, each thread`);
    const { majors, minors, longestMajorMs, pausesMs, heapEarly, heapLate } = thread;
    console.log(
      `  ${majors} major (longest ${longestMajorMs.toFixed(1)} ms), ${minors} other, ${pausesMs.toFixed(0)} ms in all; ` +
        `heap ${heapEarly.toFixed(0)} MB after a tenth, ${heapLate.toFixed(0)} MB at the end`,
    );
  });
}

const longest = ({ threads }: Measured): number => Math.max(0, ...threads.map((thread) => thread.longestMajorMs));

async function main(): Promise<void> {
  if (values.growth) return growth(Number(values.most), join(ROOT, 'docs/growth.svg'));
  const setting = prepare();
  if (values.stages) return stages(setting);
  const all = contenders(setting);
  for (const { name, missing } of all) if (missing) console.log(`without ${name}: ${missing}`);
  const present = all.filter(
    ({ name, command }) => command !== null && (!values.only || name.includes(values.only) || name === REFERENCE),
  );
  report(present, await runAll(present, setting), setting);
}

await main();
