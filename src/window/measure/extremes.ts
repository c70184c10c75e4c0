import { both } from '../layout.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';

export const smallest: MeasureCompiler = (measure, where, layout): MeasureCode => {
  const { value, there } = layout.summand(measure.summand);
  const at = layout.min(value, both(where, there));
  return { value: `(D[d+${at}]===Infinity?NaN:D[d+${at}])` };
};

export const largest: MeasureCompiler = (measure, where, layout): MeasureCode => {
  const { value, there } = layout.summand(measure.summand);
  const at = layout.max(value, both(where, there));
  return { value: `(D[d+${at}]===-Infinity?NaN:D[d+${at}])`, peak: `D[d+${at}]` };
};
