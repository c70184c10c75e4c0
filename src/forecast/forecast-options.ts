import { z } from 'zod';
import { isZone } from './calendar.ts';

/** `forecast:` of the configuration. */
export const forecastOptions = z
  .strictObject({
    zone: z
      .string()
      .refine(isZone, 'an IANA time zone such as Europe/Berlin')
      .optional()
      .describe('Time zone whose clock the loads follow; default UTC.'),
    holidays: z.array(z.iso.date()).default([]).describe('Days that are like no other, in local time: 2026-12-25.'),
  })
  .describe('The calendar of the load forecasts.');
