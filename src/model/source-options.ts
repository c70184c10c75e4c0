import { z } from 'zod';
import { parseDurationUs } from '../core/units.ts';

export const duration = z.string().refine((text) => parseDurationUs(text) > 0, 'a duration such as 10s, 5m, 1h');

/** What every entry of `sources:` may say; a room spreads these into its own strict object beside `type`. */
export const sourceFields = {
  name: z.string().min(1).describe('Identity of its position, metrics and series.'),
  idle: duration
    .optional()
    .describe('Wall time without a row after which the others do not wait for it any longer. Default: 10s.'),
};
