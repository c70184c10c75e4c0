import { isIP } from 'node:net';
import { createTransport, type Transporter } from 'nodemailer';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { printable } from '../core/text.ts';
import { parseDurationUs } from '../core/units.ts';
import type { PlotSource } from '../model/alert.ts';
import { alertMail } from './alert-mail.ts';
import type { Channel, Content, Message, Outcome } from './content.ts';
import { renderDigest } from './digest-mail.ts';
import { groupMail, worstSeverity } from './group-mail.ts';
import type { MailText } from './mail-words.ts';
import type { EmailOptions } from './options.ts';

export interface EmailDeps {
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  password: string | undefined;
  /** PEM of the certificates to trust; undefined: those that Node brings. */
  ca: string | undefined;
  dashboardUrl: (content: Content) => string | null;
  plot: PlotSource;
}

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
  rejectedErrors?: SmtpRejection[];
}

interface SmtpRejection extends Error {
  recipient?: string;
  responseCode?: number;
}

/** Sends each message as a mail; the mails of one alert, also those in which it is one of a group, are one thread. */
export class EmailChannel implements Channel {
  readonly name: string;
  readonly groups = true;
  readonly concurrency = 1;
  readonly #options: EmailOptions;
  readonly #deps: EmailDeps;
  readonly #transport: Transporter;
  readonly #domain: string;

  constructor(options: EmailOptions, deps: EmailDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#transport = createTransport(transportOptions(options.smtp, deps));
    this.#domain = options.from.replace(/>$/, '').split('@').at(-1) ?? 'weir';
  }

  async send(message: Message, signal: AbortSignal): Promise<Outcome> {
    const mail = await this.#render(message.content);
    const to = message.remaining ?? this.#options.to;
    try {
      const info = await this.#transport.sendMail({
        from: this.#options.from,
        to: this.#options.to,
        envelope: { from: this.#options.from, to },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        attachments: mail.picture ? [attachment(mail.picture)] : [],
        date: new Date(this.#deps.clock.nowUs() / 1000),
        priority: isCritical(message.content) ? 'high' : 'normal',
        ...this.#thread(message),
        disableFileAccess: true,
        disableUrlAccess: true,
        signal,
      });
      return this.#accepted(info.response ?? '', (info.rejectedErrors ?? []) as SmtpRejection[]);
    } catch (error) {
      return this.#refused(error as SmtpError);
    }
  }

  async #render(content: Content): Promise<MailText> {
    if (content.kind === 'digest') return renderDigest(content.digest);
    const url = this.#deps.dashboardUrl(content);
    if (content.kind === 'group') return groupMail(content.alerts, { url });
    return alertMail(content, { plot: await this.#deps.plot(content.alert), url });
  }

  /** RFC 5322, section 3.6.4; RFC 3834, section 5, keeps out-of-office answers away. */
  #thread({ idempotencyKey, thread }: Message) {
    const ids = thread.map((key) => this.#messageId(key));
    return {
      messageId: this.#messageId(idempotencyKey),
      inReplyTo: ids.at(-1),
      references: ids.length > 0 ? ids : undefined,
      headers: { 'Auto-Submitted': 'auto-generated' },
    };
  }

  #messageId(key: string): string {
    return `<${key}@${this.#domain}>`;
  }

  /** The server took the mail, perhaps not for every recipient. */
  #accepted(response: string, rejections: SmtpRejection[]): Outcome {
    const later = this.#reject(rejections);
    if (later.length > 0) {
      return { kind: 'retry', error: `not yet for ${later.join(', ')}: ${textOf(rejections[0])}`, remaining: later };
    }
    const answer: Record<string, string | number> = { response: printable(response, ' ').slice(0, 200) };
    if (rejections.length > 0) answer['rejected'] = rejections.map(({ recipient = '?' }) => recipient).join(', ');
    return { kind: 'delivered', answer };
  }

  #refused(error: SmtpError): Outcome {
    const text = textOf(error);
    const rejections = error.rejectedErrors ?? [];
    const later = this.#reject(rejections);
    const all = rejections.length > 0 && later.length === 0;
    const content = error.code === 'EMESSAGE' && (error.responseCode ?? 0) >= 500;
    if (all || content) return { kind: 'final', error: text };
    return later.length > 0 ? { kind: 'retry', error: text, remaining: later } : { kind: 'retry', error: text };
  }

  /** Counts refused recipients. @returns those that may be accepted later (4yz: RFC 5321, section 4.2.1) */
  #reject(rejections: SmtpRejection[]): string[] {
    const later: string[] = [];
    const metric = `weir_notify_rejected_recipients_total{channel="${this.name}"}`;
    for (const rejection of rejections) {
      const recipient = rejection.recipient ?? '?';
      this.#deps.metrics.counter(metric, 'Recipients that a mail server refused.').value++;
      this.#deps.logger.error({
        code: 'notify.recipient_rejected',
        channel: this.name,
        recipient,
        error: textOf(rejection),
      });
      if ((rejection.responseCode ?? 0) < 500) later.push(recipient);
    }
    return later;
  }
}

function isCritical(content: Content): boolean {
  if (content.kind === 'group') return worstSeverity(content.alerts) === 'critical';
  return content.kind === 'alert' && content.alert.severity === 'critical';
}

function textOf(error: SmtpError): string {
  return printable(`${error.code ? `${error.code}: ` : ''}${messageOf(error)}`, ' ').slice(0, 300);
}

function attachment({ cid, png }: NonNullable<MailText['picture']>) {
  return { filename: 'plot.png', content: png, cid, contentType: 'image/png', contentDisposition: 'inline' as const };
}

/**
 * Encryption without a check of the certificate is better than none, but a password goes only to a server that was
 * checked, or to this machine. `forceAuth`: a server that does not offer AUTH is an error, not a mail without login.
 */
function transportOptions(smtp: EmailOptions['smtp'], { password, ca }: EmailDeps) {
  const { host, tls, user } = smtp;
  const port = smtp.port ?? { auto: 25, none: 25, starttls: 587, implicit: 465 }[tls];
  const secret = user !== undefined && !isLoopback(host);
  const checked = tls === 'starttls' || tls === 'implicit' || secret || ca !== undefined;
  const timeout = parseDurationUs(smtp.timeout) / 1000;
  return {
    host,
    port,
    secure: tls === 'implicit' || (tls === 'auto' && port === 465),
    requireTLS: tls === 'starttls' || (tls === 'auto' && secret),
    ignoreTLS: tls === 'none',
    tls: { rejectUnauthorized: checked, ca, servername: smtp.servername ?? (isIP(host) ? undefined : host) },
    auth: user === undefined ? undefined : { user, pass: password },
    forceAuth: user !== undefined,
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    logger: false,
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
