import { z } from 'zod';

/** The shape of a rule file. What stands in its expressions is checked afterwards, by the small grammars. */
const expression = z.string().min(1);
const number = z.number();
const quantity = z
  .union([z.string(), number])
  .describe('a literal with its unit: 20kpps, 1Gbps, 64KiB, 5m, 20%, or a plain number');
const duration = z.string().describe('a time: 10s, 5m, 6h, 30d');
const threshold = z
  .union([quantity, z.record(z.string(), quantity)])
  .describe('one value, or `default` and values by prefix: the longest prefix that holds the key wins');
const thresholds = z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'letters, digits and _'), threshold);

const levels = z.strictObject({
  info: expression.optional(),
  warning: expression.optional(),
  critical: expression.optional(),
});
const durations = z.strictObject({
  info: duration.optional(),
  warning: duration.optional(),
  critical: duration.optional(),
});

const exception = z.strictObject({
  name: z.string().describe('what the exception is called in reports'),
  match: expression.describe('rows that the rule does not see'),
  reason: z.string().optional(),
  until: z.string().optional().describe('day or time (UTC) at which it ends: 2027-01-01'),
});

const followUp = z.strictObject({
  within: duration,
  match: expression.describe('a row of the same key that, after the alert, makes it worse'),
  severity: z.enum(['info', 'warning', 'critical']),
});

const suppression = z.strictObject({
  rules: z
    .array(z.string())
    .min(1)
    .describe('ids of rules that stay quiet while this one fires; * stands for any ending'),
  where: expression.optional().describe('`dst.ip within key`; without it, the same key'),
});

const maxKeys = z.union([quantity, z.strictObject({ n: quantity, overflow: z.literal('spacesaving').optional() })]);

/** Slots that an override may set anew. */
const changeable = {
  title: z.string().optional(),
  tags: z.array(z.string()).optional(),
  thresholds: thresholds.optional(),
  when: levels.optional().describe('one condition a severity'),
  for: z.union([duration, durations]).optional().describe('how long a condition must hold'),
  clear: expression.optional().describe('when the alert ends; without it, when no condition holds'),
  keep_firing_for: duration.optional().describe('how long an alert stays after its condition ended'),
  no_data: z.enum(['keep', 'resolve', 'alert']).optional().describe('what a source that stands still means'),
  min_samples: number.int().min(0).optional().describe('packets, before sampling is scaled up, that a window needs'),
  evidence: z.array(expression).optional().describe('topk(10, src.ip, packets), flows(20)'),
  suppresses: z.array(suppression).optional(),
  max_keys: maxKeys.optional().describe('how many keys are kept; the lightest leave first'),
  except: z.array(exception).optional(),
  annotations: z.record(z.string(), z.string()).optional().describe('texts with {{name}} of keys and measures'),
  advice: z.string().optional().describe('what to do against it, for people'),
  enabled: z.boolean().optional(),
};

export const ruleShape = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and -'),
  ...changeable,
  match: expression.optional().describe('which rows the rule sees; all without it'),
  by: z.array(expression).optional().describe('the key: fields, an address with the lengths it is cut to'),
  window: expression.describe('30s, 60s/10s (length/step) or session 5m'),
  lateness: duration.optional().describe('0 only: a window is not amended once it is closed'),
  measure: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'letters, digits and _'), expression),
  when: levels.describe('one condition a severity'),
  // biome-ignore lint/suspicious/noThenProperty: the word of the rule language
  then: followUp.optional(),
});

const overrideShape = z.strictObject({ id: z.string(), ...changeable });

export const fileShape = z.strictObject({
  version: z.literal(1),
  nets: z.record(z.string(), z.array(z.string())).optional().describe('lists of prefixes, for $name'),
  ports: z
    .record(z.string(), z.array(z.union([number, z.string()])))
    .optional()
    .describe('lists of ports and ranges, for $name'),
  interfaces: z.record(z.string(), z.array(number)).optional().describe('groups of interface numbers, for in_if NAME'),
  feeds: z.record(z.string(), z.string()).optional().describe('files of networks, one a line, for in feed NAME'),
  macros: z.record(z.string(), expression).optional().describe('named conditions, for $name'),
  thresholds: thresholds.optional(),
  rules: z.array(ruleShape).optional(),
  override: z.union([overrideShape, z.array(overrideShape)]).optional(),
});

export type RawFile = z.infer<typeof fileShape>;
export type RawRule = z.infer<typeof ruleShape>;
export type RawOverride = z.infer<typeof overrideShape>;
export type RawThreshold = z.infer<typeof threshold>;

/** JSON Schema (draft 2020-12) of a rule file, for editors. */
export function generateSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(fileShape) as Record<string, unknown>;
  return { $schema: schema['$schema'], title: 'weir rule file', ...schema };
}
