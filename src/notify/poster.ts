import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import { parseDurationUs } from '../core/units.ts';
import type { Outcome } from './content.ts';
import { retryAfterMs } from './retry-after.ts';

/** More of an answer is not read. */
const MOST_ANSWER_BYTES = 65_536;
const EXCERPT_LENGTH = 200;
const WORTH_A_RETRY = new Set([408, 425, 429]);

/** Runs an attempt with a deadline; an aborted or late one is worth a retry. */
export async function withDeadline(
  attempt: (signal: AbortSignal) => Promise<Outcome>,
  { timeout, clock, signal }: { timeout: string; clock: Clock; signal: AbortSignal },
): Promise<Outcome> {
  const over = new AbortController();
  const stop = () => over.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const timer = new AbortController();
  clock.sleep(parseDurationUs(timeout) / 1000, timer.signal).then(
    () => over.abort(new Error(`no answer within ${timeout}`)),
    () => {},
  );
  try {
    return await attempt(over.signal);
  } catch (error) {
    return { kind: 'retry', error: reasonOf(over.signal.aborted ? over.signal.reason : error) };
  } finally {
    timer.abort();
    signal.removeEventListener('abort', stop);
  }
}

export interface Post {
  url: string;
  body: string;
  headers: Record<string, string>;
}

/** Posts a body and judges the answer. Redirects are not followed: what was signed goes to nobody else. */
export async function post({ url, body, headers }: Post, clock: Clock, signal: AbortSignal): Promise<Outcome> {
  const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal });
  const text = await readSome(response);
  return judge(response, text, clock);
}

function judge({ status, headers }: Response, text: string, clock: Clock): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', answer: { status, excerpt: excerptOf(text) } };
  const error = `HTTP ${status}${text === '' ? '' : `: ${excerptOf(text)}`}`;
  if (!WORTH_A_RETRY.has(status) && status < 500) {
    return { kind: 'final', error: status < 400 ? `${error} (redirects are not followed)` : error };
  }
  const wish = retryAfterMs(headers.get('retry-after'), clock.nowUs() / 1000);
  return wish === undefined ? { kind: 'retry', error } : { kind: 'retry', error, retryAfterMs: wish };
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
