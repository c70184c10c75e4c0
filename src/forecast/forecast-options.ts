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
    step: z
      .enum(['1m', '5m', '1h'])
      .default('5m')
      .describe('Distance of the points of the loads; another one begins them anew.'),
    holidays: z.array(z.iso.date()).default([]).describe('Days that are like no other, in local time: 2026-12-25.'),
  })
  .describe('Steps and calendar of the load forecasts.');
