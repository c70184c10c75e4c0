import type { FlowRingMemory } from '../model/flow-ring.ts';
import type { CollectorOptions } from './collector-options.ts';

/** Words of `control`. */
export const REQUESTED = 0;
export const STOPPED = 1;
/** The state that was asked for has been taken. */
export const TAKEN = 2;
export const CONTROL_WORDS = 3;
/** Kinds of entries between a collecting thread and the source. */
export const ENTRY = { rows: 1, names: 2, series: 3, status: 4, counters: 5, state: 6 } as const;

/** Counters that a thread has at most. */
export const MOST_COUNTERS = 64;

/** What a collecting thread is started with. */
export interface CollectorWorkerData {
  /** Rows, which the thread writes where the source reads them. */
  rows: FlowRingMemory;
  /** Everything else. What was told before rows is there before them. */
  texts: FlowRingMemory;
  /** How many states were asked for and taken, and whether the thread has to end. */
  control: SharedArrayBuffer;
  /** The thread's counters, in the order of their names; the datagrams that wait stand behind them. */
  counters: SharedArrayBuffer;
  options: CollectorOptions;
  fd: number;
  /** A descriptor that wakes the thread (eventfd(2)). */
  bell: number;
  /** Which of how many threads it is. */
  index: number;
  threads: number;
  /** What its `Names` are made with. */
  share: number;
  /** States of all threads of a run before. */
  saved: Uint8Array[];
}
