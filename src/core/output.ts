import { closeSync, openSync, writeSync } from 'node:fs';
import { WeirError } from './errors.ts';

const FLUSH_AT = 1 << 16;

/**
 * Lines to a file or to standard output, in large writes. A reader that went away (`weir flows | head`) ends the
 * process quietly, as other Unix tools do.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #owned: boolean;
  #pending = '';

  constructor(path: string | null = null) {
    this.#owned = path !== null;
    try {
      this.#fd = path === null ? 1 : openSync(path, 'w');
    } catch (cause) {
      throw new WeirError('output.open', `cannot write ${path}`, { cause, hint: 'check the folder and its rights' });
    }
  }

  line(text: string): void {
    this.#pending += `${text}\n`;
    if (this.#pending.length >= FLUSH_AT) this.flush();
  }

  /** Whole lines as bytes; they may be overwritten when the call returns. */
  bytes(lines: Uint8Array): void {
    this.flush();
    writeAll(this.#fd, lines);
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  flush(): void {
    if (this.#pending === '') return;
    writeAll(this.#fd, Buffer.from(this.#pending));
    this.#pending = '';
  }

  close(): void {
    this.flush();
    if (this.#owned) closeSync(this.#fd);
  }
}

/** A pipe that its other side made non-blocking answers EAGAIN: wait a moment and go on. */
function writeAll(fd: number, bytes: Uint8Array): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

/** Colour is for people at a terminal who did not switch it off (no-color.org). */
export function wantsColour(stream: { isTTY?: boolean } = process.stdout): boolean {
  return stream.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
}
