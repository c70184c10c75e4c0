import { both } from '../layout.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';

/**
 * Sums of `bpp` are sums of fractions: cut to 2^-10 they are exact in a double, and so do not depend on the order of
 * rows. All other summands are whole numbers.
 */
function exact(name: string, value: string): string {
  return name === 'bpp' ? `(Math.round(1024*${value})/1024)` : value;
}

/** Of rows there are only such with packets; what they are worth is anything. */
const NEVER_NEGATIVE = new Set([
  'packets',
  'bytes',
  'bits',
  'reverse.packets',
  'reverse.bytes',
  'reverse.bits',
  'flows',
  'rows',
]);

export const sum: MeasureCompiler = (measure, where, layout): MeasureCode => {
  const { value, there } = layout.summand(measure.summand);
  const at = layout.sum(exact(measure.summand, value), both(where, there));
  const total = `D[d+${at}]`;
  return NEVER_NEGATIVE.has(measure.summand) ? { value: total, bound: total } : { value: total };
};

/** Per second of the window's length. */
export const rate: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const { value, bound } = sum(measure, where, layout, context);
  return { value: `${value}/seconds`, ...(bound ? { bound: `${bound}/seconds` } : {}) };
};

/** Of flows and rows how many; of another field how many rows have it. */
export const count: MeasureCompiler = (measure, where, layout): MeasureCode => {
  const { value, there } = layout.summand(measure.summand);
  const at = layout.sum(measure.summand === 'flows' ? value : '1', both(where, there));
  return { value: `D[d+${at}]`, bound: `D[d+${at}]` };
};

export const average: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const { there } = layout.summand(measure.summand);
  const total = sum(measure, where, layout, context).value;
  const rows = `D[d+${layout.sum('1', both(where, there))}]`;
  return { value: `(${rows}>0?${total}/${rows}:NaN)` };
};

/** What `where` selects of all that the key has; NaN without any. */
export const share: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const part = sum(measure, where, layout, context).value;
  const whole = sum(measure, 'true', layout, context).value;
  return { value: `(${whole}>0?${part}/${whole}:NaN)` };
};
