import { resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { WeirError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { readSecret, readText, type SecretPlaces } from '../core/secrets.ts';
import { formatUs } from '../core/time.ts';
import type { PlotSource, Transition } from '../model/alert.ts';
import { AlertmanagerChannel } from './alertmanager.ts';
import { ChatChannel } from './chat.ts';
import type { Channel, Content, Outcome } from './content.ts';
import { EmailChannel } from './email.ts';
import type { ChannelOptions } from './options.ts';
import { SyslogChannel } from './syslog.ts';
import { WebhookChannel } from './webhook.ts';

export interface ChannelDeps extends SecretPlaces {
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  version: string;
  /** Base address of the dashboard as people reach it; null: there is none. */
  dashboard: string | null;
  /** What to draw into a mail; absent: nothing. */
  plot?: PlotSource;
}

/**
 * Makes the channels of a configuration.
 * @throws WeirError `notify.secret` when a secret or certificate cannot be read
 */
export function createChannels(options: readonly ChannelOptions[], deps: ChannelDeps): Channel[] {
  const known = new Set<string>();
  return options.map((each) => {
    if (known.has(each.name)) throw new WeirError('notify.channel', `two channels are named ${each.name}`);
    known.add(each.name);
    return createChannel(each, deps);
  });
}

function createChannel(options: ChannelOptions, deps: ChannelDeps): Channel {
  const { clock, metrics, logger, baseDir } = deps;
  const dashboardUrl = (content: Content) => urlOf(deps.dashboard, content);
  const userAgent = `weir/${deps.version}`;
  if (options.type === 'webhook') {
    const { secret: value, secret_file: file, secret_env: env } = options;
    const secret = readSecret({ value, file, env }, deps);
    return new WebhookChannel(options, { clock, secret, dashboardUrl, userAgent });
  }
  if (options.type === 'chat') {
    const { url: value, url_file: file, url_env: env } = options;
    return new ChatChannel(options, {
      clock,
      url: chatUrl(readSecret({ value, file, env }, deps)),
      dashboardUrl,
      userAgent,
    });
  }
  if (options.type === 'alertmanager') {
    const { token: value, token_file: file, token_env: env } = options;
    const secret = readSecret({ value, file, env }, deps);
    return new AlertmanagerChannel(options, { clock, secret, dashboardUrl, userAgent });
  }
  if (options.type === 'syslog') return new SyslogChannel(options, { clock, ca: caOf(options.ca_file, baseDir) });
  const { password: value, password_file: file, password_env: env, ca_file } = options.smtp;
  const password = readSecret({ value, file, env }, deps);
  const ca = caOf(ca_file, baseDir);
  const plot = deps.plot ?? (async () => null);
  return new EmailChannel(options, { clock, metrics, logger, password, ca, dashboardUrl, plot });
}

function caOf(file: string | undefined, baseDir: string): string | undefined {
  return file === undefined ? undefined : readText(resolve(baseDir, file));
}

function chatUrl(text: string | undefined): string {
  if (text !== undefined && /^https?:/.test(text) && URL.canParse(text)) return text;
  throw new WeirError('notify.secret', 'the address of the chat is no URL', { hint: 'https://hooks.example/...' });
}

function urlOf(base: string | null, content: Content): string | null {
  if (base === null) return null;
  const root = base.replace(/\/+$/, '');
  return content.kind === 'alert' ? `${root}/alerts/${content.alert.alertId}` : root;
}

/** Sends one message that says it is a test, past the outbox. */
export async function sendTest(
  channel: Channel,
  clock: Clock,
  signal = new AbortController().signal,
): Promise<Outcome> {
  const alert = testTransition(channel.name, clock.nowUs());
  const { idempotencyKey } = alert;
  const content: Content = { kind: 'alert', alert };
  return channel.send({ content, idempotencyKey, attempt: 1, thread: [], remaining: null }, signal);
}

function testTransition(channel: string, nowUs: number): Transition {
  const time = formatUs(nowUs);
  const id = `test-${Math.floor(nowUs)}`;
  return {
    rule: 'weir-test',
    severity: 'info',
    state: 'firing',
    time,
    window: { start: time, end: time },
    key: { channel },
    values: {},
    expected: null,
    summary: 'This is a test message from weir. Nothing is wrong.',
    evidence: [],
    tags: ['test'],
    idempotencyKey: id,
    alertId: id,
    title: 'Test message',
    filter: '',
    advice: '',
    since: time,
    measured: [],
  };
}
