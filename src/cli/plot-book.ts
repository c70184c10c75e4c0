import type { AlertPlot, Evaluation, Transition } from '../model/alert.ts';
import type { Key } from '../model/window-result.ts';

const MOST_PLOTS = 1000;
const MOST_POINTS = 120;
const LEAST_POINTS = 3;

/** The recent windows of every key that was judged, so that a mail can show how its alert came about. */
export class PlotBook {
  readonly #plots = new Map<string, AlertPlot>();

  add({ rule, key, endUs, values }: Evaluation): void {
    const measure = rule.measures[0];
    const value = values[measure.name];
    if (typeof value !== 'number') return;
    const id = plotId(rule.id, key);
    let plot = this.#plots.get(id);
    if (!plot) {
      plot = { name: measure.name, unit: measure.unit, points: [], limit: null };
      this.#plots.set(id, plot);
      if (this.#plots.size > MOST_PLOTS) this.#plots.delete(this.#plots.keys().next().value as string);
    }
    plot.points.push({ timeUs: endUs, value });
    if (plot.points.length > MOST_POINTS) plot.points.shift();
  }

  find(transition: Transition): AlertPlot | null {
    const plot = this.#plots.get(plotId(transition.rule, transition.key));
    return plot && plot.points.length >= LEAST_POINTS ? plot : null;
  }
}

function plotId(rule: string, key: Key): string {
  return `${rule} ${JSON.stringify(key)}`;
}
