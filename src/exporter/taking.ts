import type { InputError } from '../core/errors.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import type { FlowSink } from '../model/flow-batch.ts';
import type { ExporterStatus } from './exporter-status.ts';
import type { SeriesSink } from './sflow.ts';

/** Where rows go. */
export interface TakingPorts {
  onFlows: FlowSink;
  onSeries: SeriesSink;
}

/** How a collector gets its rows: on the engine's thread, or from threads that take and decode datagrams beside it. */
export interface Taking {
  /** The port that is open. */
  readonly port: number;
  /** What the kernel dropped so far. */
  readonly drops: number;
  /** Datagrams that wait. */
  readonly waiting: number;
  /** What keeps it from working. */
  readonly error: InputError | null;
  /** Opens; `wake` tells that there is something to poll. */
  start(wake: () => void): Promise<void>;
  /** Gives about `budget` rows. @returns whether there are more already */
  poll(budget: number): boolean;
  /** What is known of every exporter; who is silent is judged elsewhere. */
  exporters(): ExporterStatus[];
  save(out: StateWriter): void;
  /** To be called before `start`. */
  restore(state: StateReader): void;
  stop(): Promise<void>;
}
