import type { InputError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { FileMark } from './file-mark.ts';
import { FileSet } from './file-set.ts';
import type { Waiting } from './follow-input.ts';
import type { Origin } from './origin.ts';

/** One capture stream, from its first byte to its end. */
export interface CaptureStream {
  origin: Origin;
  /** Null: its content is there already. */
  input: Waiting | null;
}

/**
 * Captures that come through a pipe, one after the other. What was given cannot be had again, so the position is only
 * the number of packets; after a restart the stream goes on with what is new.
 */
export class StreamSource implements Source {
  readonly name: string;
  error: InputError | null = null;
  done = false;
  readonly #set: FileSet;
  readonly #packets: Counter;
  readonly #ended: () => boolean;
  #wake: () => void = () => {};
  #given = 0;

  /** @param ended called when a stream is over; whether there will be no other */
  constructor(name: string, deps: { metrics: Metrics; logger: Logger; boundUs: number; ended: () => boolean }) {
    const { metrics, logger, boundUs } = deps;
    this.name = name;
    this.#ended = deps.ended;
    this.#packets = metrics.counter(`weir_source_packets_total{source="${name}"}`, 'Packets a source gave.');
    this.#set = new FileSet({
      boundUs,
      notice: (message) => logger.warn({ code: 'source.notice', source: name }, message),
      damaged: (_, error) => {
        this.error = error;
        logger.warn({ code: error.code, source: name, offset: error.offset }, error.message);
      },
      wake: () => this.#wake(),
    });
  }

  start(wake: () => void): void {
    this.#wake = wake;
  }

  async open(stream: CaptureStream): Promise<void> {
    await this.#set.addStream(emptyMark(stream.origin.name), stream.origin, stream.input);
    this.#wake();
  }

  peek(): Promise<number> {
    return this.#set.peek();
  }

  async poll(intake: Intake, budget: number, untilUs = Number.POSITIVE_INFINITY): Promise<boolean> {
    for (let left = budget; left > 0; ) {
      const headUs = await this.#set.peek();
      if (headUs === Number.POSITIVE_INFINITY || headUs > untilUs) break;
      const given = this.#set.take(intake, left, untilUs);
      this.#given += given;
      this.#packets.value += given;
      left -= given;
    }
    const more = (await this.#set.peek()) !== Number.POSITIVE_INFINITY;
    if (!more && this.#set.empty && this.#ended()) this.done = true;
    return more;
  }

  status(): Record<string, number> {
    return { records: this.#given };
  }

  save(out: StateWriter): void {
    out.number(this.#given);
  }

  restore(state: StateReader): void {
    this.#given = state.number();
  }

  stop(): void {
    this.#set.close();
  }
}

function emptyMark(path: string): FileMark {
  const print = { length: 0, sum: '' };
  const counts = { dev: 0, ino: 0, size: 0, mtimeMs: 0, firstUs: null, records: 0 };
  return { path, print, ...counts, compressed: false, sorted: false, done: false };
}
