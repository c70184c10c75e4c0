import { giveBack, takeDoubles } from './buffer-pool.ts';

const SMALL = 1024;

/** The value that stands at place `n` (from 0) when the values are sorted. Most weights are small whole numbers: those are counted. */
export function nthSmallest(values: Float64Array, n: number): number {
  const counts = new Int32Array(SMALL);
  const small = countSmall(values, counts);
  if (small > n && small <= values.length) {
    for (let value = 0, seen = 0; value < SMALL; value++) {
      seen += counts[value];
      if (seen > n) return value;
    }
  }
  const copy = takeDoubles(values.length);
  copy.set(values);
  const value = quickSelect(copy, n);
  giveBack(copy);
  return value;
}

/** How many values are whole and below `SMALL`; 0 when some below are not whole, so that counting would not find them. */
function countSmall(values: Float64Array, counts: Int32Array): number {
  let small = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value >= SMALL) continue;
    if (!(value >= 0) || value !== Math.floor(value)) return 0;
    counts[value]++;
    small++;
  }
  return small;
}

/** Hoare's selection, in place. */
function quickSelect(values: Float64Array, n: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) {
        const value = values[i];
        values[i++] = values[j];
        values[j--] = value;
      }
    }
    if (n <= j) high = j;
    else if (n >= i) low = i;
    else break;
  }
  return values[n];
}
