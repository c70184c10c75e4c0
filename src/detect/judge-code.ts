import type { Expr, RulePlan } from '../model/plan.ts';
import { ExprCompiler } from './expr-code.ts';

/** Bit of the answer that says `clear`; the lower ones are the levels, in their order. */
export const CLEAR = 1 << 30;

/** Arrays of one window: numbers a key, with their width; a width of 0 is one row for all keys. */
export interface JudgeInput {
  n: number;
  values: Float64Array;
  samples: Float64Array;
  thresholds: Float64Array;
  thresholdWidth: number;
  parts: Float64Array;
  partWidth: number;
  speeds: Float64Array;
}

export interface JudgeCode {
  /** Writes for each key which levels hold and whether it is clear. */
  judge(input: JudgeInput, out: Int32Array): void;
  /** For each forecast of the rule, its `reach` for key `i`. */
  reach: ((input: JudgeInput, i: number) => number)[];
  thresholds: string[];
  parts: ExprCompiler['parts'];
  usesSpeed: boolean;
}

/** Compiles `when` and `clear` into one loop over all keys of a window. */
export function compileJudge(rule: RulePlan): JudgeCode {
  const compiler = new ExprCompiler(rule);
  const width = rule.measures.length;
  const levels = rule.levels.map(({ when }, i) => `if(${compiler.code(when)})m|=${1 << i};`).join('');
  const clear = rule.clear ? compiler.code(rule.clear) : 'm===0';
  const load = `const V=input.values,T=input.thresholds,P=input.parts,S=input.speeds,o=i*${width},t=i*input.thresholdWidth,p=i*input.partWidth,s=S.length>0?S[i]:NaN;`;
  // Without enough samples no level can hold.
  const gate = rule.minSamples > 0 ? `if(input.samples[i]<${Number(rule.minSamples)})m=0;` : '';
  const judge = `for(let i=0;i<input.n;i=i+1|0){${load}let m=0;${levels}${gate}out[i]=(${clear})?m|${CLEAR}:m;}`;
  const forecasts = rule.measures.flatMap((measure) =>
    measure.kind === 'learned' && measure.fn === 'forecast' ? [measure] : [],
  );
  return {
    judge: new Function('input', 'out', `'use strict';${judge}`) as JudgeCode['judge'],
    reach: forecasts.map(({ reach }) => compileReach(reach, compiler, load)),
    thresholds: compiler.thresholds,
    parts: compiler.parts,
    usesSpeed: [...rule.levels.map(({ when }) => when), rule.clear, ...forecasts.map(({ reach }) => reach)].some(
      usesSpeed,
    ),
  };
}

function compileReach(
  reach: Expr | null,
  compiler: ExprCompiler,
  load: string,
): (input: JudgeInput, i: number) => number {
  if (reach === null) return () => Number.NaN;
  return new Function(
    'input',
    'i',
    `'use strict';${load}return ${compiler.code(reach)};`,
  ) as JudgeCode['reach'][number];
}

function usesSpeed(expr: Expr | null): boolean {
  if (expr === null) return false;
  if (expr.op === 'attribute') return true;
  if ('args' in expr) return expr.args.some(usesSpeed);
  if ('arg' in expr) return usesSpeed(expr.arg);
  return 'left' in expr && (usesSpeed(expr.left) || usesSpeed(expr.right));
}
