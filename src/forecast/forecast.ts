/** The door of the room: what weir learns about a regular series. */

export { type BacktestOptions, backtest, type HorizonRecord } from './backtest.ts';
export { baselines } from './baseline.ts';
export { LoadBook, type LoadSeries, type SeriesSink } from './load-book.ts';
export { forecasters } from './load-forecaster.ts';
export { loadPlans } from './load-plans.ts';
