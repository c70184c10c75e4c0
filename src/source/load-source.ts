import { globSync } from 'node:fs';
import type { InputError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import { LoadCsvReader } from './load-csv.ts';

/** Tables of interface loads, one after the other in the order of their names. Its position is rows of each table. */
export class LoadSource implements Source {
  readonly name: string;
  error: InputError | null = null;
  done = false;
  readonly #pattern: string;
  readonly #names: Names;
  readonly #logger: Logger;
  /** Batches given of each table. */
  #given: Record<string, number> = {};
  #paths: string[] = [];
  #reader: LoadCsvReader | null = null;
  #batches: Iterator<FlowBatch> | null = null;

  constructor(options: { name: string; path: string }, deps: { names: Names; logger: Logger }) {
    this.name = options.name;
    this.#pattern = options.path;
    this.#names = deps.names;
    this.#logger = deps.logger;
  }

  start(): void {
    this.#paths = globSync(this.#pattern).sort();
    this.done = this.#paths.length === 0;
  }

  poll(intake: Intake, budget: number): boolean {
    for (let left = budget; left > 0 && !this.done; ) {
      const batch = this.#next();
      if (batch === null) continue;
      intake.flows(batch);
      left -= batch.length;
    }
    return !this.done;
  }

  /** The next batch that was not given before a restart; null where a table ended. */
  #next(): FlowBatch | null {
    const path = this.#paths[0];
    if (this.#batches === null) this.#open(path);
    const { value, done } = this.#batches!.next();
    if (done) {
      this.#close();
      return null;
    }
    this.#given[path]++;
    return value;
  }

  #open(path: string): void {
    this.#reader = new LoadCsvReader(path, { names: this.#names });
    this.#batches = this.#reader.batches();
    this.#given[path] ??= 0;
    for (let skip = this.#given[path]; skip > 0; skip--) this.#batches.next();
  }

  #close(): void {
    const { name, error } = this.#reader!;
    if (error) {
      this.error = { ...error, message: `${name}: ${error.message}` };
      this.#logger.warn({ code: error.code, source: this.name, file: name, offset: error.offset }, error.message);
    }
    this.#batches = null;
    this.#paths.shift();
    this.done = this.#paths.length === 0;
  }

  save(out: StateWriter): void {
    out.json(this.#given);
  }

  restore(state: StateReader): void {
    this.#given = state.json();
  }

  stop(): void {}
}
