import { giveBack, takeWords } from './buffer-pool.ts';

const DIGIT = 11;
const DIGITS = 1 << DIGIT;
/** Fewer are sorted by the runtime. */
const FEW = 256;
const COUNTS = new Int32Array(DIGITS);
const LONGEST = 2 ** 32;

/**
 * Positions 0 .. `length` by moment, equal ones in their order; to be given back to the pool. Digit by digit (LSD radix sort): the
 * runtime's sort takes several times as long for a hundred thousand events.
 */
export function momentOrder(moments: Float64Array, length: number): Int32Array {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length; i++) {
    if (moments[i] < first) first = moments[i];
    if (moments[i] > last) last = moments[i];
  }
  const order = takeWords(length);
  for (let i = 0; i < length; i++) order[i] = i;
  if (length < FEW || last - first >= LONGEST) return order.sort((x, y) => moments[x] - moments[y] || x - y);
  return radix(order, moments, first, last - first);
}

function radix(order: Int32Array, moments: Float64Array, first: number, range: number): Int32Array {
  const { length } = order;
  let keys: Int32Array = takeWords(length);
  let from: Int32Array = order;
  let to: Int32Array = takeWords(length);
  let toKeys: Int32Array = takeWords(length);
  for (let i = 0; i < length; i++) keys[i] = moments[i] - first;
  for (let shift = 0; shift < 32 && range >= 2 ** shift; shift += DIGIT) {
    countDigits(keys, shift);
    deal(from, keys, to, toKeys, shift);
    [from, to] = [to, from];
    [keys, toKeys] = [toKeys, keys];
  }
  for (const spare of [to, keys, toKeys]) giveBack(spare);
  return from;
}

/** Where each digit's first element goes. */
function countDigits(keys: Int32Array, shift: number): void {
  COUNTS.fill(0);
  for (let i = 0; i < keys.length; i++) COUNTS[(keys[i] >>> shift) & (DIGITS - 1)]++;
  let sum = 0;
  for (let d = 0; d < DIGITS; d++) {
    const count = COUNTS[d];
    COUNTS[d] = sum;
    sum += count;
  }
}

function deal(from: Int32Array, keys: Int32Array, to: Int32Array, toKeys: Int32Array, shift: number): void {
  for (let i = 0; i < keys.length; i++) {
    const place = COUNTS[(keys[i] >>> shift) & (DIGITS - 1)]++;
    to[place] = from[i];
    toKeys[place] = keys[i];
  }
}
