import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { TcpdumpOptions } from './options.ts';
import { streamInput } from './standard-input.ts';
import { StreamSource } from './stream-source.ts';

const FIRST_MS = 500;
const MOST_MS = 60_000;
/** A child that lived so long was healthy: the next pause is the first again. */
const HEALTHY_MS = 60_000;
/** How long a child may take to say its last counts. */
const STOP_MS = 2000;
const COUNTS = /^(\d+) packets? (captured|received by filter|dropped by kernel|dropped by interface)/;
/** What it says in any case; a line that is none of these says why it ended. */
const USUAL = /listening on |^\d+ packets? /;

/**
 * tcpdump as a child process, its capture read from a pipe. When it ends it is started again, after a pause that doubles
 * up to a minute. What it says on standard error is logged, and the losses it counts at its end are kept.
 */
export class TcpdumpSource extends StreamSource {
  readonly #options: TcpdumpOptions;
  readonly #logger: Logger;
  readonly #restarts: Counter;
  readonly #drops: (cause: string) => Counter;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pauseMs = FIRST_MS;
  #stopping = false;

  constructor(options: TcpdumpOptions, deps: { metrics: Metrics; logger: Logger; boundUs: number }) {
    super(options.name, { ...deps, ended: () => false });
    this.#options = options;
    this.#logger = deps.logger;
    const { metrics } = deps;
    this.#restarts = metrics.counter(
      `weir_source_restarts_total{source="${options.name}"}`,
      'Times a capture process was started again.',
    );
    this.#drops = (cause) =>
      metrics.counter(
        `weir_source_drops_total{source="${options.name}",cause="${cause}"}`,
        'Packets lost before weir got them.',
      );
  }

  override start(wake: () => void): void {
    super.start(wake);
    this.#launch();
  }

  #launch(): void {
    const { command, interface: device, snaplen, filter } = this.#options;
    const args = ['-i', device, '-s', String(snaplen), '-n', '-w', '-', '-U'];
    const child = spawn(command, filter === '' ? args : [...args, filter], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const startedMs = performance.now();
    let last = '';
    lines(child.stderr as Readable, (line) => {
      if (!USUAL.test(line)) last = line;
      this.#hear(line);
    });
    const input = streamInput(child.stdout as Readable);
    const origin = { name: this.name, again: false, open: () => input };
    this.open({ origin, input }).catch((error) =>
      this.#logger.error({ code: 'source.open', source: this.name, error }),
    );
    child.on('error', (error) => {
      last = error.message;
    });
    child.on('close', (code, signal) => this.#ended(code ?? signal, last, performance.now() - startedMs));
  }

  #hear(line: string): void {
    const [, count, what] = COUNTS.exec(line) ?? [];
    if (what === 'dropped by kernel') this.#drops('kernel').value += Number(count);
    if (what === 'dropped by interface') this.#drops('interface').value += Number(count);
    this.#logger.info({ code: 'source.tcpdump', source: this.name }, line);
  }

  #ended(how: number | string | null, last: string, livedMs: number): void {
    this.#child = null;
    if (this.#stopping) return;
    if (livedMs > HEALTHY_MS) this.#pauseMs = FIRST_MS;
    this.error = { code: 'source.child', offset: 0, message: `tcpdump ended (${how}): ${last}` };
    this.#logger.error({ code: 'source.child', source: this.name, how, againMs: this.#pauseMs }, last);
    this.#timer = setTimeout(() => {
      this.#restarts.value++;
      this.#launch();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(MOST_MS, this.#pauseMs * 2);
  }

  override status(): Record<string, number> {
    const drops = { kernelDrops: this.#drops('kernel').value, interfaceDrops: this.#drops('interface').value };
    return { ...super.status(), restarts: this.#restarts.value, ...drops };
  }

  override async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    const child = this.#child;
    if (child !== null) {
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      super.stop();
      child.stdout?.resume();
      await ended;
      clearTimeout(late);
    } else super.stop();
  }
}

function lines(stream: Readable, each: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = (parts.pop() ?? '').slice(0, 1000);
    for (const part of parts) each(part.trim());
  });
}
