import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
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
const COUNTS = /(\d+) packets? dropped by (kernel|interface)/g;
/** How often it is asked for its counts, so that losses are known while it runs, and not lost with weir. */
const ASK_MS = 10_000;
/** What it says when it is asked, in one line. */
const ANSWER = /\d+ packets? captured, /;
/** What it says in any case; a line that is none of these says why it ended. */
const USUAL = /listening on |\d+ packets? (captured|received by filter|dropped by)/;

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
  /** What the running child counted so far. */
  readonly #counted = { kernel: 0, interface: 0 };

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
    this.#counted.kernel = 0;
    this.#counted.interface = 0;
    const asking = asksFor(command) ? setInterval(() => child.kill('SIGUSR1'), ASK_MS).unref() : undefined;
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
    child.on('close', () => clearInterval(asking));
    child.on('close', (code, signal) => this.#ended(code ?? signal, last, performance.now() - startedMs));
  }

  #hear(line: string): void {
    let lost = 0;
    for (const [, count, cause] of line.matchAll(COUNTS))
      lost += this.#count(cause as 'kernel' | 'interface', Number(count));
    if (lost > 0 || !ANSWER.test(line)) this.#logger.info({ code: 'source.tcpdump', source: this.name }, line);
  }

  /** @returns how many more than before */
  #count(cause: 'kernel' | 'interface', total: number): number {
    const more = Math.max(0, total - this.#counted[cause]);
    this.#counted[cause] = Math.max(total, this.#counted[cause]);
    this.#drops(cause).value += more;
    return more;
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

/** tcpdump says its counts at SIGUSR1; another program may do anything. */
function asksFor(command: string): boolean {
  return basename(command) === 'tcpdump';
}

function lines(stream: Readable, each: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = (parts.pop() ?? '').slice(0, 1000);
    for (const part of parts) each(part.trim());
  });
}
