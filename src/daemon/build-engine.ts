import { interfaceSpeeds } from '../cli/source-option.ts';
import type { Config } from '../config.ts';
import type { Metrics } from '../core/metrics.ts';
import { parseDurationUs } from '../core/units.ts';
import { Engine, type Sinks } from '../engine.ts';
import type { FlowSink } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import type { RuleSet } from '../model/plan.ts';
import type { AlertBook } from './alert-book.ts';
import type { RunStore } from './run-store.ts';
import type { TimeKeeper } from './time-keeper.ts';

export interface EngineParts {
  book: AlertBook;
  store: RunStore;
  time: TimeKeeper;
  names: Names;
  metrics: Metrics;
  records: FlowSink;
  /** Who looks on beside the store. */
  sinks: Omit<Sinks, 'transition'>;
}

/** An engine under a configuration: what it tells goes to the book of alerts, what it finds to the history. */
export function buildEngine(config: Config, rules: RuleSet, parts: EngineParts): Engine {
  const { book, store, time, names, metrics, records, sinks } = parts;
  return new Engine(
    {
      rules,
      interfaceSpeed: interfaceSpeeds(config),
      watermark: () => time.watermark(),
      calendar: config.forecast,
      loadStepUs: parseDurationUs(config.forecast.step),
      ruleThreads: config.engine.workers,
    },
    {
      transition: (transition) => book.tell(transition),
      evaluation: (evaluation) => {
        sinks.evaluation?.(evaluation);
        store.evaluation(evaluation);
      },
      records,
      series: (name, timeUs, value) => {
        sinks.series?.(name, timeUs, value);
        store.history.series(name, timeUs, value);
      },
    },
    { names, metrics },
  );
}
