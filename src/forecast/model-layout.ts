import { HorizonHead, headCells, headFloats } from './horizon-head.ts';
import { CELL_SCALARS, MODEL_SCALARS } from './model-scalars.ts';
import { SeasonRing } from './season-ring.ts';
import { DAY_US, gatePatience } from './steps.ts';

export interface SeasonalOptions {
  stepUs: number;
  seasonUs: readonly number[];
  /** In steps, ascending, the first one 1. Only [1] when a ring cell holds several steps. */
  horizons: readonly number[];
  maxCells: number;
}

/** What all models with the same options have in common. */
export interface ModelLayout {
  stepUs: number;
  /** Season lengths in steps; 0 for none. */
  day: number;
  week: number;
  ring: SeasonRing;
  /** Gross outliers in a row before they are believed. */
  patience: number;
  /** Missing steps in a row that are filled with what was expected. */
  fillLimit: number;
  heads: HorizonHead[];
  /** Numbers of one series: those of the model and its heads, behind them the owner's. */
  scalars: number;
  floats: number;
  /** Cells of all heads, behind which are those for held values. */
  cells: number;
  /** Where the owner's begin. */
  ownScalars: number;
  ownFloats: number;
  heldAt: number;
  heldCells: number;
}

const layouts = new Map<string, ModelLayout>();
const MOST_LAYOUTS = 256;

/** Numbers that the owner of a model keeps behind its own; saved with them. */
export interface OwnNumbers {
  scalars: number;
  floats: number;
}

export function layoutOf(options: SeasonalOptions, own: OwnNumbers): ModelLayout {
  const key = JSON.stringify([options, own]);
  const known = layouts.get(key);
  if (known) return known;
  const layout = makeLayout(options, own);
  if (layouts.size < MOST_LAYOUTS) layouts.set(key, layout);
  return layout;
}

function makeLayout({ stepUs, seasonUs, horizons, maxCells }: SeasonalOptions, own: OwnNumbers): ModelLayout {
  const longest = Math.max(0, ...seasonUs) / stepUs;
  const stepsPerCell = Math.max(1, Math.ceil(longest / maxCells));
  const lag = (us: number) => (stepsPerCell === 1 ? Math.round(us / stepUs) : us / stepUs);
  const lags = seasonUs.map(lag).filter((m) => m >= 2);
  const day = lags.length > 0 ? Math.min(...lags) : 0;
  const most = lags.length > 0 ? Math.max(...lags) : 0;
  const scalars = MODEL_SCALARS + (stepsPerCell === 1 ? 0 : CELL_SCALARS);
  let floats = 0;
  let cells = 0;
  const heads = horizons.map((horizon) => {
    const head = new HorizonHead(horizon, stepUs, floats, cells);
    floats += headFloats(horizon);
    cells += headCells(horizon);
    return head;
  });
  const patience = gatePatience(stepUs);
  const heldCells = Math.ceil(patience / stepsPerCell) + 1;
  return {
    stepUs,
    day,
    week: most > day ? most : 0,
    ring: new SeasonRing(stepsPerCell, Math.ceil(most / stepsPerCell) + horizons[horizons.length - 1] + 3),
    patience,
    fillLimit: Math.max(1, Math.min(4096, Math.round(DAY_US / stepUs))),
    heads,
    scalars: scalars + own.scalars,
    ownScalars: scalars,
    floats: floats + own.floats,
    ownFloats: floats,
    cells: cells + heldCells,
    heldAt: cells,
    heldCells,
  };
}
