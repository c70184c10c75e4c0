import { Presets, SingleBar } from 'cli-progress';
import { formatDuration, formatNumber } from '../core/units.ts';

const FORMAT = '{bar} {percentage}%  {packets} packets  {rate}/s  ETA {left}';
const REDRAW_MS = 100;

/** A progress bar on standard error: on a terminal only, and never in the way of standard output. */
export class Progress {
  readonly #bar: SingleBar | null;
  readonly #startMs = performance.now();
  #drawnMs = 0;

  constructor(enabled = process.stderr.isTTY === true) {
    const options = { format: FORMAT, clearOnComplete: true, hideCursor: true, stream: process.stderr };
    this.#bar = enabled ? new SingleBar(options, Presets.shades_classic) : null;
    this.#bar?.start(1, 0, { packets: '0', rate: '-', left: '-' });
  }

  /** @param share 0..1 of the input that was read, or null where its size is unknown */
  update(share: number | null, packets: number): void {
    const now = performance.now();
    if (this.#bar === null || now - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = now;
    const elapsed = (now - this.#startMs) / 1000;
    const left = share ? formatDuration(Math.round((elapsed / share - elapsed) * 1e6)) : '-';
    const rate = formatNumber(Math.round(packets / Math.max(elapsed, 0.001)));
    this.#bar.update(share ?? 0, { packets: formatNumber(packets), rate, left });
  }

  /** Makes room for lines on the terminal; the next update draws the bar again. */
  clear(): void {
    if (this.#bar !== null) process.stderr.write('\r\u001b[K');
    this.#drawnMs = 0;
  }

  stop(): void {
    this.#bar?.stop();
  }
}

/** A remark for the person at the terminal or in the log; standard output stays clean. */
export function notice(message: string): void {
  process.stderr.write(`weir: ${message}\n`);
}
