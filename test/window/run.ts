import { Metrics } from '../../src/core/metrics.ts';
import type { RulePlan } from '../../src/model/plan.ts';
import type { WindowResults } from '../../src/model/window-result.ts';
import { type WindowLimits, WindowStage } from '../../src/window/window.ts';
import { batchOf, names, type Slice } from './rows.ts';

export interface Line {
  rule: string;
  endUs: number;
  startUs: number;
  key: string;
  values: Record<string, number>;
}

export interface Run {
  lines: Line[];
  metrics: Metrics;
  stage: WindowStage;
}

export interface RunOptions {
  /** Sizes of batches; the last one repeats. */
  cuts?: number[];
  /** Watermark = latest start - bound, after each batch. */
  boundUs?: number;
  limits?: WindowLimits;
  wantsEmpty?: (results: WindowResults) => boolean;
}

/** Runs slices in the order given through a stage and gathers everything it gave out, in its order. */
export function run(rules: RulePlan[], slices: readonly Slice[], options: RunOptions = {}): Run {
  const lines: Line[] = [];
  const metrics = new Metrics();
  const onResults = (results: WindowResults): boolean => {
    collect(results, lines);
    return options.wantsEmpty?.(results) ?? false;
  };
  const stage = new WindowStage({ rules, home: [] }, { names, metrics, onResults, limits: options.limits });
  const { cuts = [slices.length], boundUs = 1e6 } = options;
  let latest = Number.NEGATIVE_INFINITY;
  for (let at = 0, k = 0; at < slices.length; k++) {
    const part = slices.slice(at, at + Math.max(1, cuts[Math.min(k, cuts.length - 1)]));
    stage.add(batchOf(part));
    at += part.length;
    for (const { startUs } of part) latest = Math.max(latest, startUs);
    stage.advance(latest - boundUs);
  }
  stage.advance(Number.POSITIVE_INFINITY);
  return { lines, metrics, stage };
}

export function collect(results: WindowResults, lines: unknown[]): void {
  const { rule, values, samples, startUs, endUs } = results;
  const width = rule.measures.length;
  for (let i = 0; i < results.length; i++) {
    const named = Object.fromEntries(rule.measures.map(({ name }, m) => [name, values[i * width + m]]));
    lines.push({ rule: rule.id, startUs, endUs, key: results.keyText(i), values: { samples: samples[i], ...named } });
  }
}
