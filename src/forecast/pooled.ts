import type { ForecasterFactory, LoadForecaster } from '../model/series.ts';

/** A regular series; its last value is of the step that ends at `lastUs`. NaN is missing. */
export interface Recent {
  stepUs: number;
  lastUs: number;
  recent: ArrayLike<number>;
}

/** Steps that both have before their ratio means anything. */
const LEAST_OVERLAP = 6;

/**
 * Cold start: a forecaster for a series too young to know its day, which has first lived through its parent's past, at the
 * child's size (the median ratio of the two where both have values). Null when they share too few steps, or differ in step.
 */
export function pooledForecaster(child: Recent, parent: Recent, factory: ForecasterFactory): LoadForecaster | null {
  const { stepUs } = child;
  if (parent.stepUs !== stepUs) return null;
  const ratio = medianRatio(child, parent);
  if (!(ratio > 0)) return null;
  const model = factory.create({ stepUs });
  const firstUs = startOf(child);
  feed(model, parent, ratio, (timeUs) => timeUs < firstUs);
  feed(model, child, 1, () => true);
  return model;
}

function feed(model: LoadForecaster, series: Recent, factor: number, wanted: (timeUs: number) => boolean): void {
  for (let i = 0; i < series.recent.length; i++) {
    const timeUs = startOf(series) + i * series.stepUs;
    if (wanted(timeUs)) model.update(timeUs, series.recent[i] * factor);
  }
}

function startOf({ lastUs, stepUs, recent }: Recent): number {
  return lastUs - (recent.length - 1) * stepUs;
}

function medianRatio(child: Recent, parent: Recent): number {
  const shift = Math.round((startOf(child) - startOf(parent)) / child.stepUs);
  const ratios: number[] = [];
  for (let i = 0; i < child.recent.length; i++) {
    const ratio = child.recent[i] / parent.recent[i + shift];
    if (ratio > 0 && Number.isFinite(ratio)) ratios.push(ratio);
  }
  if (ratios.length < LEAST_OVERLAP) return Number.NaN;
  return ratios.sort((a, b) => a - b)[ratios.length >> 1];
}
