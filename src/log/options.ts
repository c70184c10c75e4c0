import { z } from 'zod';
import { parseDurationUs } from '../core/units.ts';
import { duration, sourceFields } from '../model/source-options.ts';
import { LOG_KINDS } from './kind.ts';
import { TARGETS, UNIT_NAMES } from './mapping.ts';

const target = z.enum(TARGETS);
export const delayOption = duration
  .default('1m')
  .describe('How long after its beginning a flow is told of at the latest: event time stays so far behind.');

/** Their field to ours. */
export const fieldsOptions = z
  .record(z.string(), z.union([target, z.strictObject({ to: target, unit: z.enum(UNIT_NAMES).optional() })]))
  .describe(
    "The other side's field (in JSON: nested names joined by /) and what it is, with its unit where that is another.",
  );

/** How to read a log that is none of the known kinds. */
export const mappingOptions = z
  .strictObject({
    format: z.enum(['csv', 'json']),
    separator: z.string().length(1).default(',').describe('Between the values of a CSV line.'),
    header: z.array(z.string()).optional().describe('Column names of a CSV that has no header line.'),
    fields: fieldsOptions,
  })
  .describe('A declarative mapping for other logs.');

export const logOptions = z
  .strictObject({
    ...sourceFields,
    type: z.literal('log'),
    path: z
      .string()
      .describe(
        'The file that is written, or a pattern of many, counted from this file; rotated ones beside it are found.',
      ),
    format: z.enum(LOG_KINDS).optional().describe('Default: told by its content.'),
    mapping: mappingOptions.optional(),
    delay: delayOption,
    poll: sourceFields.idle.describe('How often the file is looked at. Default: 1s.'),
  })
  .describe('A flow log, tailed through rotation.');

export type LogOptions = z.infer<typeof logOptions>;

const POLL_MS = 1000;

/** How often a log is looked at, milliseconds. */
export function pollMsOf({ poll }: Pick<LogOptions, 'poll'>): number {
  return poll === undefined ? POLL_MS : parseDurationUs(poll) / 1000;
}
