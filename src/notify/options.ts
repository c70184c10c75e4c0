import { z } from 'zod';
import { parseDurationUs } from '../core/units.ts';
import { SEVERITIES } from '../model/plan.ts';

const duration = z.string().refine((text) => parseDurationUs(text) > 0, 'a duration such as 10s, 5m, 24h');
const name = z.string().regex(/^[\w.-]{1,64}$/, 'letters, digits, dot, dash and underscore, at most 64');
const line = z.string().regex(/^\P{Cc}+$/u, 'one line without control characters');
const address = line.regex(
  /^(?:[^<>@]*<)?[^\s<>@,;]+@[^\s<>@,;]+>?$/,
  'an address such as noc@example.net or NOC <noc@example.net>',
);
const header = z.string().regex(/^[!#$%&'*+.^_`|~\w-]+$/, 'the name of an HTTP header');

/** A secret stands in the file itself, in another file (its first line), or in an environment variable. */
const secret = (field: string) => ({
  [field]: line.optional(),
  [`${field}_file`]: line.optional(),
  [`${field}_env`]: line.optional(),
});

const webhookOptions = z.strictObject({
  name,
  type: z.literal('webhook'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((text) => URL.canParse(text) && new URL(text).username === '', 'credentials belong into headers')
    .describe('Where each alert is posted as JSON.'),
  ...(secret('secret') as SecretFields<'secret'>),
  headers: z.record(header, line).default({}).describe('Further headers of each request.'),
  timeout: duration.default('10s').describe('From the first byte sent to the last byte of the answer.'),
});

const smtpOptions = z.strictObject({
  host: line,
  port: z.int().min(1).max(65_535).optional().describe('Default 25; 587 with tls: starttls, 465 with tls: implicit.'),
  tls: z
    .enum(['auto', 'starttls', 'implicit', 'none'])
    .default('auto')
    .describe('auto: encrypted where the server offers it; starttls and implicit: required, with a valid certificate.'),
  ca_file: line.optional().describe('Certificates to trust instead of those that Node brings.'),
  servername: line.optional().describe('The name the certificate must bear; default the host.'),
  user: line.optional(),
  ...(secret('password') as SecretFields<'password'>),
  timeout: duration.default('30s'),
});

const emailOptions = z.strictObject({
  name,
  type: z.literal('email'),
  smtp: smtpOptions,
  from: address,
  to: z.array(address).min(1).max(100),
});

/** One entry of `channels:` of the configuration. */
export const channelOptions = z
  .discriminatedUnion('type', [webhookOptions, emailOptions])
  .superRefine((channel, context) => {
    const [at, fields, base] =
      channel.type === 'email' ? ([['smtp'], channel.smtp, 'password'] as const) : ([[], channel, 'secret'] as const);
    const given = [base, `${base}_file`, `${base}_env`].filter((key) => (fields as Record<string, unknown>)[key]);
    if (given.length > 1)
      context.addIssue({ code: 'custom', path: [...at, given[1]], message: `give one of ${given.join(', ')}` });
    if (channel.type === 'email' && (channel.smtp.user === undefined) !== (given.length === 0)) {
      context.addIssue({ code: 'custom', path: ['smtp', 'user'], message: 'user and password belong together' });
    }
  });

const severity = z.enum(SEVERITIES as [string, ...string[]]);
const oneOrMore = <T extends z.ZodType>(type: T) => z.union([type, z.array(type).min(1)]);

/** One entry of `routes:`. Every route that matches adds its channels; without routes every alert goes to all. */
export const routeOptions = z.strictObject({
  match: z
    .strictObject({
      severity: oneOrMore(severity).optional().describe('Any of these.'),
      rule: oneOrMore(line).optional().describe('Rule ids; * stands for any characters.'),
      tags: oneOrMore(line).optional().describe('Any of these tags; * stands for any characters.'),
      key: z.record(line, line).optional().describe('Key fields: a value, or a prefix that holds the address.'),
    })
    .prefault({}),
  to: z.array(name).min(1).describe('Names of channels.'),
  states: z
    .array(z.enum(['pending', 'firing', 'escalated', 'deescalated', 'resolved', 'suppressed']))
    .default(['firing', 'escalated', 'deescalated', 'resolved'])
    .describe('Transitions that are told.'),
  group_by: z
    .array(line)
    .max(16)
    .default([])
    .describe(
      'Alerts that agree in these come in one mail: rule, severity, or fields of the key. Default: each alone.',
    ),
  group_wait: duration.default('30s').describe('How long the first mail of a group waits for more alerts.'),
  group_interval: duration.default('5m').describe('The least time between two mails of one group.'),
  repeat_interval: duration
    .optional()
    .describe('An alert that still fires is told again after this time. Default: never.'),
});

type SecretFields<Name extends string> = Record<Name | `${Name}_file` | `${Name}_env`, z.ZodOptional<typeof line>>;

export type ChannelOptions = z.infer<typeof channelOptions>;
export type WebhookOptions = z.infer<typeof webhookOptions>;
export type EmailOptions = z.infer<typeof emailOptions>;
export type RouteOptions = z.infer<typeof routeOptions>;
