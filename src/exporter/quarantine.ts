import type { FlowBatch } from '../model/flow-batch.ts';

export interface QuarantineOptions {
  /** A record may end this much after it came (clocks differ), and this much before. */
  maxAheadUs: number;
  maxAgeUs: number;
}

/**
 * Takes rows with impossible times out of a batch, so that no bogus clock moves the watermark: an end that is later than
 * its arrival allows or far too old, or a beginning after the end. @returns how many left
 */
export function quarantine(batch: FlowBatch, nowUs: number, { maxAheadUs, maxAgeUs }: QuarantineOptions): number {
  const { startUs, endUs } = batch;
  let kept = 0;
  for (let n = 0; n < batch.length; n++) {
    const isPossible = endUs[n] <= nowUs + maxAheadUs && endUs[n] >= nowUs - maxAgeUs && startUs[n] <= endUs[n];
    if (!isPossible) continue;
    if (kept !== n) batch.copyRow(kept, batch, n);
    kept++;
  }
  const left = batch.length - kept;
  batch.length = kept;
  return left;
}
