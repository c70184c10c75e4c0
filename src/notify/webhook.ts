import { createHmac } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import { parseDurationUs } from '../core/units.ts';
import type { Channel, Content, Message, Outcome, Told } from './content.ts';
import { stillFiring } from './mail-words.ts';
import type { WebhookOptions } from './options.ts';
import { retryAfterMs } from './retry-after.ts';

/** More of an answer is not read. */
const MOST_ANSWER_BYTES = 65_536;
const EXCERPT_LENGTH = 200;
const WORTH_A_RETRY = new Set([408, 425, 429]);

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
  readonly #timeoutMs: number;

  constructor(options: WebhookOptions, deps: WebhookDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#timeoutMs = parseDurationUs(options.timeout) / 1000;
  }

  async send(message: Message, signal: AbortSignal): Promise<Outcome> {
    const over = new AbortController();
    const stop = () => over.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const timer = new AbortController();
    const timeout = this.#deps.clock.sleep(this.#timeoutMs, timer.signal);
    timeout.then(
      () => over.abort(new Error(`no answer within ${this.#options.timeout}`)),
      () => {},
    );
    try {
      return await this.#post(message, over.signal);
    } catch (error) {
      return { kind: 'retry', error: reasonOf(over.signal.aborted ? over.signal.reason : error) };
    } finally {
      timer.abort();
      signal.removeEventListener('abort', stop);
    }
  }

  async #post(message: Message, signal: AbortSignal): Promise<Outcome> {
    const body = JSON.stringify(this.#body(message.content));
    const response = await fetch(this.#options.url, {
      method: 'POST',
      body,
      headers: this.#headers(message, body),
      redirect: 'manual',
      signal,
    });
    const text = await readSome(response);
    return this.#judge(response, text);
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

  #judge(response: Response, text: string): Outcome {
    const { status, headers } = response;
    if (status >= 200 && status < 300) return { kind: 'delivered', answer: { status, excerpt: excerptOf(text) } };
    const error = `HTTP ${status}${text === '' ? '' : `: ${excerptOf(text)}`}`;
    if (!WORTH_A_RETRY.has(status) && status < 500) {
      return { kind: 'final', error: status < 400 ? `${error} (redirects are not followed)` : error };
    }
    const wish = retryAfterMs(headers.get('retry-after'), this.#deps.clock.nowUs() / 1000);
    return wish === undefined ? { kind: 'retry', error } : { kind: 'retry', error, retryAfterMs: wish };
  }
}

/** The alert's line; a repetition says so. */
function lineOf({ alert, repeat }: Told): Record<string, unknown> {
  if (repeat === undefined) return { ...alert };
  return { ...alert, summary: `${stillFiring(alert)}: ${alert.summary}`, repeat };
}

/** The beginning of an answer. Its status stands, whatever becomes of the rest. */
async function readSome(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      text += decoder.decode(chunk, { stream: true });
      if (bytes >= MOST_ANSWER_BYTES) break;
    }
  } catch {
    return text;
  }
  return text;
}

/** The first characters of an answer, on one line. */
function excerptOf(text: string): string {
  return printable(text.slice(0, EXCERPT_LENGTH), ' ').trim();
}

/** fetch hides the reason in `cause`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause ? `${messageOf(error)}: ${messageOf(cause)}` : messageOf(error);
}
