import { setImmediate } from 'node:timers/promises';

export const BREATHE_MS = 25;

/** Lets deliveries, timers and signals have their turn: reading a file alone never leaves the microtask queue. */
export async function breathe(lastMs: number): Promise<number> {
  if (performance.now() - lastMs < BREATHE_MS) return lastMs;
  await setImmediate();
  return performance.now();
}
