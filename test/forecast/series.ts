import { type Stateful, StateReader, StateWriter } from '../../src/core/state.ts';

/** Series with known structure for the tests, each from a seed. */
export const HOUR_US = 3_600_000_000;

/** Uniform in [0, 1): mulberry32. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal: Box and Muller. */
export function normal(seed: number): () => number {
  const next = random(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** A daily curve between one and three million with 5 % of noise. */
export function daily(seed: number): (timeUs: number) => number {
  const noise = normal(seed);
  return (timeUs) => 1e6 * (2 + Math.sin((2 * Math.PI * timeUs) / (24 * HOUR_US))) * Math.exp(0.05 * noise());
}

/** The whole state as bytes. */
export function saved(from: Stateful): Uint8Array {
  const out = new StateWriter();
  from.save(out);
  return out.concat();
}

/** `to` with the state of these bytes. */
export function restored<T extends Stateful>(to: T, bytes: Uint8Array): T {
  to.restore(new StateReader(bytes));
  return to;
}
