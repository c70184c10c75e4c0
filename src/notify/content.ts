import type { Transition } from '../model/alert.ts';
import type { DigestData } from './digest.ts';

/** An alert as it is told: news, or for the `repeat`th time that it still fires (then under a key of its own). */
export interface Told {
  alert: Transition;
  repeat?: number;
}

/** What a channel is asked to deliver. */
export type Content =
  | ({ kind: 'alert' } & Told)
  /** In the order in which they happened; several may be of one alert. */
  | { kind: 'group'; alerts: Told[] }
  | { kind: 'digest'; digest: DigestData };

/** One message on its way: the same on every attempt but for `attempt` and `remaining`. */
export interface Message {
  content: Content;
  idempotencyKey: string;
  /** From 1. */
  attempt: number;
  /** Keys of the messages of the same alerts that this channel delivered before, oldest first: the thread. */
  thread: string[];
  /** Recipients still to be served after a partial success; null: all. */
  remaining: string[] | null;
}

/** How an attempt ended. `answer` is what the receiver said, in a few plain facts. */
export type Outcome =
  | { kind: 'delivered'; answer: Record<string, string | number> }
  /** Worth trying again; `retryAfterMs` is the receiver's own wish for the whole channel. */
  | { kind: 'retry'; error: string; retryAfterMs?: number; remaining?: string[] }
  /** Trying again would change nothing. */
  | { kind: 'final'; error: string };

/** A way to a receiver. `send` never throws; an aborted signal ends it soon, with any outcome. */
export interface Channel {
  readonly name: string;
  /** People read it: alerts of one group may come in one message. Machines get a message a transition. */
  readonly groups: boolean;
  /** Messages of different alerts on their way at once. */
  readonly concurrency: number;
  send(message: Message, signal: AbortSignal): Promise<Outcome>;
}
