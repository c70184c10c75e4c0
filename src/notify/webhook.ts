import { createHmac } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Channel, Content, Message, Outcome, Told } from './content.ts';
import { stillFiring } from './mail-words.ts';
import type { WebhookOptions } from './options.ts';
import { post, withDeadline } from './poster.ts';

export interface WebhookDeps {
  clock: Clock;
  secret: string | undefined;
  /** Address of the page of an alert; null where there is no page. */
  dashboardUrl: (content: Content) => string | null;
  userAgent: string;
}

/**
 * Posts the alert's line as JSON, signed. The body and its key are the same on every attempt. Redirects are not
 * followed: a signed body goes to the address that was configured and to no other.
 */
export class WebhookChannel implements Channel {
  readonly name: string;
  readonly groups = false;
  readonly concurrency = 4;
  readonly #options: WebhookOptions;
  readonly #deps: WebhookDeps;

  constructor(options: WebhookOptions, deps: WebhookDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
  }

  send(message: Message, signal: AbortSignal): Promise<Outcome> {
    const { clock } = this.#deps;
    const body = JSON.stringify(this.#body(message.content));
    const request = { url: this.#options.url, body, headers: this.#headers(message, body) };
    return withDeadline((over) => post(request, clock, over), { timeout: this.#options.timeout, clock, signal });
  }

  #body(content: Content): Record<string, unknown> {
    const frame = { version: '1', receiver: this.name, dashboardUrl: this.#deps.dashboardUrl(content) };
    if (content.kind === 'digest') return { digest: content.digest, ...frame };
    // Only where the channel was one of mails when the group was made.
    if (content.kind === 'group') return { alerts: content.alerts.map(lineOf), ...frame };
    return { ...lineOf(content), ...frame };
  }

  #headers(message: Message, body: string): Record<string, string> {
    const { secret, userAgent } = this.#deps;
    const headers: Record<string, string> = {
      'User-Agent': userAgent,
      ...this.#options.headers,
      'Content-Type': 'application/json',
      'Idempotency-Key': message.idempotencyKey,
      'X-Weir-Attempt': String(message.attempt),
    };
    if (secret !== undefined) {
      headers['X-Weir-Signature'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    }
    return headers;
  }
}

/** The alert's line; a repetition says so. */
function lineOf({ alert, repeat }: Told): Record<string, unknown> {
  if (repeat === undefined) return { ...alert };
  return { ...alert, summary: `${stillFiring(alert)}: ${alert.summary}`, repeat };
}
