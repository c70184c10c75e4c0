import type { Config } from '../config.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Stateful } from '../core/state.ts';
import type { Sinks } from '../engine.ts';
import type { Prefix } from '../model/address.ts';
import type { PlotSource, Transition } from '../model/alert.ts';
import type { RuleSet } from '../model/plan.ts';

export interface DaemonOptions {
  configPath: string;
  config: Config;
  /** Home nets, learned where the configuration says none. */
  home: Prefix[] | null;
  rules: RuleSet;
  /** End when the sources are read; folders are read, not watched. */
  untilDone: boolean;
  /** Leave the checkpoint and begin anew. */
  fresh: boolean;
  drainMs: number;
}

/** What a command or page shows of the run, beside what is stored. */
export interface DaemonPorts {
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  plot: PlotSource;
  /** A transition that was not there before, once it is stored. */
  fresh(transition: Transition): void;
  /** Every evaluation, flow record and point of a series, for plots and pages. */
  sinks: Omit<Sinks, 'transition'>;
  /** What else goes into a checkpoint and comes back from it. */
  self?: Stateful | null;
  /** Called when the state of the service changed: ready, reloading, stopping. */
  phase(phase: 'ready' | 'reloading' | 'stopping', text: string): void;
}
