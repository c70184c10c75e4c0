import type { InputError } from '../core/errors.ts';
import type { Stateful, StateWriter } from '../core/state.ts';
import type { FlowBatch } from './flow-batch.ts';
import type { PacketBatch } from './packet-batch.ts';
import type { PacketRows } from './packet-rows.ts';

/** What a reading of a counter comes with. */
export interface CounterFacts {
  /** How long the device has been up; less than before means that its counters began anew. NaN: unknown. */
  uptimeUs: number;
  /** The most that the counter can grow a second, 0 when unknown. */
  mostPerSecond: number;
}

/** What a source gives to. Batches are the source's again when the call returns. */
export interface Intake {
  /** Frames `from <= i < to`, in order of event time. */
  packets(batch: PacketBatch, from: number, to: number): void;
  /** Packets that the source decoded itself, in order of event time; their ids are those of `Names`. */
  rows(rows: PacketRows): void;
  /** Flow records or slices, in order of their ends as far as the source has an order. */
  flows(batch: FlowBatch): void;
  /**
   * A value of a named series: event time in microseconds. Readings of interface counters are named `EXPORTER IFINDEX
   * ifInOctets` and `ifOutOctets`.
   */
  series(name: string, timeUs: number, value: number, facts?: CounterFacts): void;
}

/**
 * A source of the running daemon. It is pulled, so that between two polls its position and the engine's state belong
 * together: `save` writes the position after all that was given, `restore` (before `start`) goes on from there. What is
 * pushed at a source (datagrams) waits in its own bounded queue, with a counter for what did not fit.
 */
export interface Source extends Stateful {
  /** Identity of its position, metrics and series: the name in the configuration. */
  readonly name: string;
  /** Opens; `wake` is to be called whenever there may be something to poll. Throws when it can never work. */
  start(wake: () => void): void | Promise<void>;
  /**
   * Event time of the row that the next poll gives first; Infinity when nothing is there. Sources that have it are
   * polled in order of it, so that their rows come merged by time; others are polled as soon as they wake.
   */
  peek?(): number | Promise<number>;
  /**
   * Gives about `budget` rows at most, none later than `untilUs` where it has `peek`, then returns; true when more is
   * there already. Never throws for bad input.
   */
  poll(intake: Intake, budget: number, untilUs?: number): boolean | Promise<boolean>;
  /** Its rows may begin this much before the latest end of those given (exporters' timeouts), microseconds. Default 0. */
  readonly boundUs?: number;
  /** Finite, and all of it was given. */
  readonly done: boolean;
  /** The latest damage or failure; the source goes on where it can. */
  readonly error: InputError | null;
  /** Where it is, small, for what is committed often; default: what `save` writes. Nothing goes on from it. */
  place?(out: StateWriter): void;
  /** What `save` wrote last is in a complete checkpoint: whoever counts with it elsewhere may be told. */
  kept?(): void;
  /** Facts of its own for the status dump: files, drops, restarts. */
  status?(): Record<string, string | number | null>;
  stop(): void | Promise<void>;
}
