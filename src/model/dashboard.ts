import type { Transition } from './alert.ts';
import type { LoadForecast, SeriesPoint } from './series.ts';

/** What the running daemon shows: the port between whoever runs and whoever serves it. */
export interface DashboardData {
  /** Version, uptime, sources, queues, checkpoint, channels: plain facts, none of them secret. */
  status(): Record<string, unknown>;
  /** Alerts that fire (their newest transition), and the latest transitions, newest first. */
  alerts(): { active: Transition[]; recent: Transition[] };
  /** Series there is something of, in order of their names. */
  seriesNames(): SeriesInfo[];
  /** Points in `fromUs <= time < untilUs`, oldest first, the latest where there are many; null: no such series. */
  series(name: string, fromUs: number, untilUs: number): Promise<SeriesPoint[] | null>;
  /** The path of the coming `steps`; null: no such series. Without points while it learns. */
  forecast(name: string, steps: number): LoadForecast | null;
  /** Addresses that carried most, largest first. */
  talkers(most: number): { address: string; sent: number; received: number; flows: number }[];
}

export interface SeriesInfo {
  name: string;
  stepUs: number;
  lastUs: number;
  lastValue: number;
}
