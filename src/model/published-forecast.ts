/** Forecasts as they were told, kept to be judged when their time comes. Times are event time in microseconds (`Us`). */
export interface PublishedForecast {
  series: string;
  /** How far ahead it was made. */
  horizonUs: number;
  issuedUs: number;
  /** The time it is for. */
  timeUs: number;
  expected: number;
  low95: number;
  high95: number;
  /** What the model and the simple method said; `expected` is one of the two. */
  model: number;
  simple: number;
}

/** How the forecasts of one series and horizon have done; shares, not per cent. */
export interface ForecastRecord {
  series: string;
  horizonUs: number;
  /** Forecasts judged. */
  n: number;
  /** Mean error in shares of the value; values of zero are left out. */
  mape: number;
  /** Sum of errors over sum of values: of what was published, of the model, of the simple method. */
  wape: number;
  wapeModel: number;
  wapeSimple: number;
  /** Share of values inside the 95 % interval. */
  held95: number;
}

/** Where published forecasts are kept. */
export interface ForecastJournal {
  /** Runs several of the calls below as one transaction. */
  together<T>(work: () => T): T;
  /** A forecast of the same series, horizon and time is kept as it was first told. */
  publish(forecasts: readonly PublishedForecast[]): void;
  /** Those not judged yet whose time is at or before `untilUs`. */
  due(series: string, untilUs: number): PublishedForecast[];
  /** What came; null when nobody knows, which removes the forecast. */
  judge(forecast: PublishedForecast, actual: number | null): void;
  /** Of forecasts for times from `sinceUs` on. */
  records(sinceUs: number): ForecastRecord[];
  /** The factor by which the simple method was off, at most, in a share `q` of the forecasts since then; NaN without any. */
  simpleSpread(series: string, horizonUs: number, sinceUs: number, q: number): number;
  /** Removes forecasts for times before `beforeUs`. */
  prune(beforeUs: number): void;
}
