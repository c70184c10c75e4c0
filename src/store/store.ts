import { z } from 'zod';
import { parseBytes, parseDurationUs } from '../core/units.ts';

export { Checkpoints, type FoundCheckpoint, STATE_VERSION } from './checkpoints.ts';
export { newestForecastUs, readForecastRecords, SqliteForecastJournal } from './forecast-journal.ts';
export { GuardedHistory, type GuardOptions } from './guarded-history.ts';
export { History, type HistoryOptions, newestEpoch } from './history.ts';
export { type FlowQuery, HistoryReader, isoTime, type SeriesRow, type TopQuery, type TopRow } from './query.ts';
export { applyRetention, type Retention } from './retention.ts';
export { type AlertFilter, lockStore, openState, readTransitions, TransitionLog } from './state.ts';

const duration = z.string().refine((text) => parseDurationUs(text) > 0, 'a duration such as 30d, 12h, 10m');
const size = z.string().refine((text) => parseBytes(text) > 0, 'a size such as 20GB or 512MiB');

/** `store:` of the configuration. */
export const storeOptions = z.strictObject({
  path: z.string().default('state/').describe('Folder of the state database and the history.'),
  flush: duration
    .default('5m')
    .describe('Flow records, series and windows leave memory for files at the latest after this.'),
  flows: z.boolean().default(true).describe('Flow records are kept; series and windows always are.'),
  retention: z
    .strictObject({
      age: duration.default('30d').describe('History older than this leaves.'),
      series: duration.default('400d').describe('Load series, which are small, leave later.'),
      size: size.default('20GB').describe('The oldest hours leave when the history grows past this.'),
    })
    .prefault({}),
});
