import { finish } from '../core/hash.ts';

/** Registers: 2^14, standard error 1.04 / sqrt(2^14) = 0.8 %. */
export const PRECISION = 14;
export const REGISTERS = 1 << PRECISION;
const RANKS = 64 - PRECISION + 1;

/** Enters the value of `length` words at `at`. The order of values does not matter, so sketches of panes merge. */
export function enterValue(registers: Uint8Array, words: Int32Array, at: number, length: number): void {
  let low = 0x2545f491;
  let high = 0x9e3779b9 | 0;
  for (let k = 0; k < length; k++) {
    low = finish(Math.imul(low, 0x85ebca6b) + words[at + k]);
    high = finish(Math.imul(high, 0xc2b2ae35) ^ words[at + k]);
  }
  const register = low & (REGISTERS - 1);
  const rest = low >>> PRECISION;
  const rank = high !== 0 ? Math.clz32(high) + 1 : 33 + Math.min(18, Math.clz32(rest << PRECISION));
  if (registers[register] < rank) registers[register] = rank;
}

/** The union of two sketches is the larger of each register. */
export function mergeRegisters(into: Uint8Array, from: Uint8Array): void {
  for (let i = 0; i < REGISTERS; i++) if (from[i] > into[i]) into[i] = from[i];
}

/** Ertl's estimator without bias tables (2017, arXiv 1702.01284, algorithm 6). */
export function estimate(registers: Uint8Array): number {
  const counts = new Int32Array(RANKS + 1);
  for (let i = 0; i < REGISTERS; i++) counts[registers[i]]++;
  let z = REGISTERS * tau(1 - counts[RANKS] / REGISTERS);
  for (let k = RANKS - 1; k >= 1; k--) z = 0.5 * (z + counts[k]);
  z += REGISTERS * sigma(counts[0] / REGISTERS);
  return Math.round((REGISTERS * REGISTERS) / (2 * Math.LN2) / z);
}

function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let power = x;
  let weight = 1;
  let sum = x;
  for (let before = Number.NaN; sum !== before; ) {
    power *= power;
    before = sum;
    sum += power * weight;
    weight += weight;
  }
  return sum;
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let root = x;
  let weight = 1;
  let sum = 1 - x;
  for (let before = Number.NaN; sum !== before; ) {
    root = Math.sqrt(root);
    before = sum;
    weight *= 0.5;
    sum -= (1 - root) ** 2 * weight;
  }
  return sum / 3;
}
