import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { Names } from '../../src/model/names.ts';
import type { RuleSet } from '../../src/model/plan.ts';
import { replay } from '../../src/pipeline.ts';
import { loadRules } from '../../src/rule/rule.ts';
import { Lab } from './lab.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import type { Seed } from './seeds.ts';

/** Cases that share decoder and meter: one is repeated with those of its group before it. */
export const GROUP = 64;
/** The whole replay costs as much as hundreds of other cases: once in so many it runs, over several captures. */
const REPLAY_EVERY = 1000;
const REPLAY_CAPTURES = 8;
const ONE_IN_LIBRARY = 64;

/** Runs cases by their number. Every case is the same for the same seed and number, with its group before it. */
export class Cases {
  readonly #seed: number;
  readonly #seeds: readonly Seed[];
  readonly #folder: string;
  readonly #rules: RuleSet;
  #lab = new Lab();

  /** `folder` takes the captures of replays. */
  constructor(seed: number, seeds: readonly Seed[], folder: string) {
    this.#seed = seed;
    this.#seeds = seeds;
    this.#folder = folder;
    this.#rules = loadRules([join(import.meta.dirname, '../../rules')]).rules;
  }

  /** Throws for whatever is wrong with a case. */
  async run(number: number): Promise<void> {
    if (number % GROUP === 0) this.#lab = new Lab(number % (4 * GROUP) !== 0);
    const random = new Random(this.#seed, number);
    if (number % REPLAY_EVERY === REPLAY_EVERY - 1) return this.#replay(random);
    const { bytes } = mutate(this.#seeds, random);
    const reader = random.once(ONE_IN_LIBRARY) ? 'pcap-parser' : 'weir';
    const blockBytes = 1 << (9 + random.below(7));
    const { packets, wireBytes } = await this.#lab.stats(bytes, reader, blockBytes);
    const { read, slices, records } = await this.#lab.flows(bytes, blockBytes);
    if (reader === 'weir') same('flows read what stats read', { ...read, packets, wireBytes }, read);
    same('slices add up to packets', read, slices);
    same('records add up to packets', read, records);
  }

  async #replay(random: Random): Promise<void> {
    const captures = Array.from({ length: REPLAY_CAPTURES }, () => mutate(this.#seeds, random).bytes);
    const paths = captures.map((bytes, i) => this.#write(i, bytes));
    let expected = 0;
    for (const bytes of captures) expected += (await this.#lab.stats(bytes, 'weir', 1 << 16)).packets;
    const ports = { names: new Names(), metrics: new Metrics(), clock: systemClock };
    const hooks = { transition: () => {}, notice: () => {}, home: () => {}, progress: () => {} };
    const input = { paths, home: null, speed: Number.POSITIVE_INFINITY, rules: () => this.#rules };
    const { engine } = await replay(input, hooks, ports);
    for (const path of paths) rmSync(path);
    same('the replay takes every packet', expected, engine.packets);
  }

  #write(index: number, bytes: Uint8Array): string {
    const path = join(this.#folder, `${index}.pcap`);
    writeFileSync(path, bytes);
    return path;
  }
}

function same(what: string, expected: unknown, got: unknown): void {
  const [left, right] = [JSON.stringify(expected), JSON.stringify(got)];
  if (left !== right) throw new Error(`${what}: ${left} and ${right}`);
}
