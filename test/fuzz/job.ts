import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Orders, Report } from './child.ts';

export interface Failure {
  number: number;
  kind: 'failure' | 'hang' | 'crash';
  message: string;
}

export interface JobEvents {
  failure(failure: Failure): void;
  memory(share: number, megabytes: number): void;
}

/** A case that takes so long never ends: the working process cannot say so itself. */
const HANG_MS = 15_000;
const WATCH_MS = 500;
const HEAP_MEGABYTES = 512;
const MAX_RESTARTS = 20;

/** A working process and its watch: what hangs or dies is told, and the work goes on behind it. */
export class Job {
  cases = 0;
  slowestMs = 0;
  seeds = 0;
  readonly #orders: Orders;
  readonly #events: JobEvents;
  #restarts = 0;
  #present = -1;
  #sinceMs = 0;
  #hung = false;
  #done = false;

  constructor(orders: Omit<Orders, 'folder' | 'after'>, events: JobEvents) {
    this.#orders = { ...orders, after: -1, folder: mkdtempSync(join(tmpdir(), 'weir-fuzz-')) };
    this.#events = events;
  }

  /** Resolves when all cases ran, or too many processes died. */
  async run(): Promise<void> {
    while (!this.#done && this.#restarts++ < MAX_RESTARTS) await this.#spawn();
    rmSync(this.#orders.folder, { recursive: true });
  }

  /** The case at work, -1 before the first. */
  get present(): number {
    try {
      return readFileSync(join(this.#orders.folder, 'case')).readDoubleLE(0);
    } catch {
      return -1;
    }
  }

  #spawn(): Promise<void> {
    writeFileSync(join(this.#orders.folder, 'case'), '');
    this.#present = -1;
    this.#hung = false;
    const child = fork(join(import.meta.dirname, 'child.ts'), [JSON.stringify(this.#orders)], {
      execArgv: ['--expose-gc', `--max-old-space-size=${HEAP_MEGABYTES}`],
    });
    child.on('message', (report: Report) => this.#take(report));
    const watch = setInterval(() => this.#watch(child), WATCH_MS);
    return new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        clearInterval(watch);
        if (!this.#done) this.#died(`${signal ?? code}`);
        resolve();
      });
    });
  }

  #watch(child: ChildProcess): void {
    const { present } = this;
    if (present !== this.#present || present < 0) {
      this.#present = present;
      this.#sinceMs = performance.now();
    } else if (performance.now() - this.#sinceMs > HANG_MS) {
      this.#hung = true;
      child.kill('SIGKILL');
    }
  }

  #died(how: string): void {
    const number = this.present;
    const kind = this.#hung ? 'hang' : 'crash';
    this.#events.failure({ number, kind, message: `the process ended with ${how}` });
    this.#orders.after = number;
    if (number < 0) this.#restarts = MAX_RESTARTS;
  }

  #take(report: Report): void {
    if (report.kind === 'ready') this.seeds = report.seeds;
    else if (report.kind === 'failure') this.#events.failure(report);
    else if (report.kind === 'memory') this.#events.memory(report.share, report.megabytes);
    else {
      this.#done = true;
      this.cases += report.cases;
      this.slowestMs = report.slowestMs;
    }
  }
}
