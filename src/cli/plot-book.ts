import type { AlertPlot, Evaluation, Transition } from '../model/alert.ts';
import { RecentPoints } from '../model/recent-points.ts';
import type { Key } from '../model/window-result.ts';

const MOST_PLOTS = 1000;
const MOST_POINTS = 120;
const LEAST_POINTS = 3;

interface Plot extends Pick<AlertPlot, 'name' | 'unit'> {
  points: RecentPoints;
}

/** The recent windows of every key that was judged, so that a mail can show how its alert came about. */
export class PlotBook {
  readonly #plots = new Map<string, Plot>();

  add({ rule, key, endUs, values }: Evaluation): void {
    const measure = rule.measures[0];
    const value = values[measure.name];
    if (typeof value !== 'number') return;
    const id = plotId(rule.id, key);
    let plot = this.#plots.get(id);
    if (!plot) {
      plot = { name: measure.name, unit: measure.unit, points: new RecentPoints(MOST_POINTS) };
      this.#plots.set(id, plot);
      if (this.#plots.size > MOST_PLOTS) this.#plots.delete(this.#plots.keys().next().value as string);
    }
    plot.points.push(endUs, value);
  }

  find(transition: Transition): AlertPlot | null {
    const plot = this.#plots.get(plotId(transition.rule, transition.key));
    if (!plot || plot.points.length < LEAST_POINTS) return null;
    return { ...plot, points: plot.points.all(), limit: null };
  }
}

function plotId(rule: string, key: Key): string {
  return `${rule} ${JSON.stringify(key)}`;
}
