/** The door of the room: what weir learns about a regular series. */

export { AnomalyDetector, type AnomalyScore } from './anomaly.ts';
export { type BacktestOptions, backtest, type HorizonRecord } from './backtest.ts';
export { baselines } from './baseline.ts';
export { CalendarForecaster, type CalendarOptions, calendarForecasters, localTimes } from './calendar.ts';
export { CounterRate } from './counter.ts';
export { CounterLoads } from './counter-loads.ts';
export { type FanChart, fanChart } from './fan-chart.ts';
export type { LoadSeries } from './followed-load.ts';
export { type DeskReport, ForecastDesk, recordText } from './forecast-desk.ts';
export { forecastOptions } from './forecast-options.ts';
export { LoadBook, type LoadBookOptions, type SeriesSink } from './load-book.ts';
export { forecasters } from './load-forecaster.ts';
export { loadPlans } from './load-plans.ts';
export { plotForecast } from './plot.ts';
export { pooledForecaster, type Recent } from './pooled.ts';
export { reconcile } from './reconcile.ts';
export { defaultHorizons } from './steps.ts';
