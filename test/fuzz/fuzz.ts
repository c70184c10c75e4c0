import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GROUP } from './cases.ts';
import { type Failure, Job } from './job.ts';
import { mutateCase } from './mutate.ts';
import { readSeeds, SEED_FOLDERS } from './seeds.ts';

const USAGE = `npm run fuzz -- [--seed N] [--count N] [--jobs N] [--case N] [--keep DIR]

Changes real captures at random (bits, bytes, length fields, link types, cuts, splices, repeated and foreign records)
and reads each as stats, flows and, once in 1000 cases with eight captures, replay do. Wrong is: an error thrown, a case
that takes more than 2 s, packets or bytes that do not add up, memory that grows. The same seed gives the same cases.
  --seed N    default 1          --count N   cases, default 10000       --jobs N   processes, default 1
  --case N    only this case, with those of its group before it, whose state it meets
  --keep DIR  writes the captures of failing cases there
Exit 0: nothing wrong; 1: something; each failure is printed with its seed and case.`;

const PROGRESS_MS = 5000;
const MAX_TOLD = 20;
/** Resident memory may be so much above what it was after the first tenth: the heap's own play. */
const GROWTH = 1.25;
const PLAY_MEGABYTES = 48;
const FIRST_TENTH = 0.1;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    jobs: { type: 'string', default: '1' },
    case: { type: 'string' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

class Fuzz {
  readonly failures: Failure[] = [];
  readonly #seed = whole(values.seed, 'seed');
  readonly #count = values.case === undefined ? whole(values.count, 'count') : whole(values.case, 'case') + 1;
  readonly #first = values.case === undefined ? 0 : Math.floor((this.#count - 1) / GROUP) * GROUP;
  readonly #jobs: Job[];
  readonly #memory: { share: number; megabytes: number }[] = [];
  readonly #startMs = performance.now();

  constructor() {
    const step = values.case === undefined ? Math.max(1, whole(values.jobs, 'jobs')) : 1;
    const events = {
      failure: (failure: Failure) => this.#fail(failure),
      memory: (share: number, megabytes: number) => void this.#memory.push({ share, megabytes }),
    };
    this.#jobs = Array.from({ length: step }, (_, offset) => {
      const orders = { seed: this.#seed, first: this.#first, last: this.#count, step, offset };
      return new Job(orders, events);
    });
  }

  async run(): Promise<boolean> {
    const timer = setInterval(() => this.#progress(), PROGRESS_MS);
    await Promise.all(this.#jobs.map((job) => job.run()));
    clearInterval(timer);
    if (values.keep !== undefined) await this.#keep(values.keep);
    return this.#summarize();
  }

  #fail(failure: Failure): void {
    this.failures.push(failure);
    if (this.failures.length > MAX_TOLD) return;
    const { kind, number, message } = failure;
    process.stderr.write(`fuzz: ${kind} in --seed ${this.#seed} --case ${number}: ${message}\n`);
  }

  #progress(): void {
    const present = Math.max(...this.#jobs.map((job) => job.present));
    if (present < 0) return;
    const seconds = (performance.now() - this.#startMs) / 1000;
    const rate = Math.round((present - this.#first) / seconds);
    process.stderr.write(`fuzz: case ${present} of ${this.#count}, ${rate}/s, failures ${this.failures.length}\n`);
  }

  async #keep(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const seeds = await readSeeds(SEED_FOLDERS);
    for (const { number } of this.failures.slice(0, MAX_TOLD)) {
      writeFileSync(join(folder, `${this.#seed}-${number}.pcap`), mutateCase(seeds, this.#seed, number));
    }
  }

  #summarize(): boolean {
    const cases = this.#jobs.reduce((sum, job) => sum + job.cases, 0);
    const seconds = (performance.now() - this.#startMs) / 1000;
    const of = (kind: Failure['kind']): number => this.failures.filter((failure) => failure.kind === kind).length;
    const early = this.#peak((share) => share <= FIRST_TENTH);
    const late = this.#peak((share) => share > FIRST_TENTH);
    const grows = late > early * GROWTH + PLAY_MEGABYTES;
    console.log(
      `fuzz: ${cases} cases from ${this.#jobs[0].seeds} captures, seed ${this.#seed}: ${of('failure')} failures, ` +
        `${of('crash')} crashes, ${of('hang')} hangs; slowest ${Math.round(this.#slowestMs())} ms; ` +
        `${Math.round(cases / seconds)} cases/s; memory ${Math.round(early)} MB after a tenth, ` +
        `at most ${Math.round(late)} MB later, ${Math.round(this.#peak((share) => share === 1))} MB at the end` +
        `${grows ? ': it grows' : ''}`,
    );
    return this.failures.length === 0 && !grows;
  }

  #peak(chosen: (share: number) => boolean): number {
    return this.#memory.reduce((most, { share, megabytes }) => (chosen(share) ? Math.max(most, megabytes) : most), 0);
  }

  #slowestMs(): number {
    return Math.max(...this.#jobs.map((job) => job.slowestMs));
  }
}

function whole(text: string, option: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  process.stderr.write(`--${option} ${text} is no number\n${USAGE}\n`);
  return process.exit(2);
}

if (values.help) console.log(USAGE);
else process.exitCode = (await new Fuzz().run()) ? 0 : 1;
