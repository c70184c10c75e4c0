import { z } from 'zod';
import { parseDurationUs } from '../core/units.ts';
import { SEVERITIES } from '../model/plan.ts';
import { FACILITIES } from './syslog-line.ts';

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

const httpUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => URL.canParse(text) && new URL(text).username === '', 'credentials belong into headers');

const webhookOptions = z.strictObject({
  name,
  type: z.literal('webhook'),
  url: httpUrl.describe('Where each alert is posted as JSON.'),
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

const chatOptions = z.strictObject({
  name,
  type: z.literal('chat'),
  format: z.enum(['slack', 'mattermost', 'teams']).default('slack'),
  url: httpUrl.optional().describe("The chat's incoming webhook. Who knows it may write there: better in a file."),
  url_file: line.optional(),
  url_env: line.optional(),
  timeout: duration.default('10s'),
});

const alertmanagerOptions = z.strictObject({
  name,
  type: z.literal('alertmanager'),
  url: httpUrl.describe('Where Alertmanager answers, without /api/v2.'),
  labels: z.record(z.string().regex(/^[a-zA-Z_]\w*$/, 'the name of a label'), line).default({}),
  headers: z.record(header, line).default({}),
  ...(secret('token') as SecretFields<'token'>),
  hold: duration
    .default('24h')
    .describe('An alert whose end weir could not tell ends there by itself after this time.'),
  timeout: duration.default('10s'),
});

const syslogOptions = z.strictObject({
  name,
  type: z.literal('syslog'),
  host: line,
  port: z.int().min(1).max(65_535).optional().describe('Default 514 over udp, 601 over tcp, 6514 over tls.'),
  protocol: z.enum(['udp', 'tcp', 'tls']).default('udp'),
  facility: z.enum(Object.keys(FACILITIES) as [keyof typeof FACILITIES]).default('daemon'),
  app_name: z
    .string()
    .regex(/^[!-~]{1,48}$/, 'at most 48 printable characters')
    .default('weir'),
  ca_file: line.optional().describe('Certificates to trust instead of those that Node brings.'),
  servername: line.optional(),
  timeout: duration.default('10s'),
});

/** Where the secret of a channel stands, and whether it must have one. */
const SECRETS = { webhook: 'secret', chat: 'url', alertmanager: 'token', email: 'password', syslog: null } as const;

/** One entry of `channels:` of the configuration. */
export const channelOptions = z
  .discriminatedUnion('type', [webhookOptions, emailOptions, chatOptions, alertmanagerOptions, syslogOptions])
  .superRefine((channel, context) => {
    const at = channel.type === 'email' ? ['smtp'] : [];
    const fields = channel.type === 'email' ? channel.smtp : channel;
    const base = SECRETS[channel.type];
    if (base === null) return;
    const given = [base, `${base}_file`, `${base}_env`].filter((key) => (fields as Record<string, unknown>)[key]);
    if (given.length > 1)
      context.addIssue({ code: 'custom', path: [...at, given[1]], message: `give one of ${given.join(', ')}` });
    if (channel.type === 'chat' && given.length === 0) {
      context.addIssue({ code: 'custom', path: ['url'], message: 'give url, url_file or url_env' });
    }
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

/** `outbox:` of the configuration: how much may wait for each channel, and what leaves when it is full. */
export const outboxOptions = z.strictObject({
  max: z.int().min(10).max(1_000_000).default(10_000).describe('Messages that may wait for one channel.'),
  when_full: z
    .enum(['drop_oldest', 'drop_info_first', 'refuse_newest'])
    .default('drop_oldest')
    .describe('Which message becomes a dead letter when as many wait.'),
});

export type OutboxOptions = z.infer<typeof outboxOptions>;

type SecretFields<Name extends string> = Record<Name | `${Name}_file` | `${Name}_env`, z.ZodOptional<typeof line>>;

export type ChannelOptions = z.infer<typeof channelOptions>;
export type WebhookOptions = z.infer<typeof webhookOptions>;
export type EmailOptions = z.infer<typeof emailOptions>;
export type ChatOptions = z.infer<typeof chatOptions>;
export type AlertmanagerOptions = z.infer<typeof alertmanagerOptions>;
export type SyslogOptions = z.infer<typeof syslogOptions>;
export type RouteOptions = z.infer<typeof routeOptions>;
