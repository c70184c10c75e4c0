import type { Evaluation } from '../model/alert.ts';

/** What was measured when a transition happened. */
export type Moment = Pick<Evaluation, 'startUs' | 'endUs' | 'values' | 'expected' | 'missing'> & { timeUs: number };
