import type { ServerResponse } from 'node:http';
import type { Counter, Metrics } from '../core/metrics.ts';

const MOST_LISTENERS = 64;
/** A listener that lets so much pile up is cut off; its browser comes back by itself. */
const MOST_PENDING_BYTES = 1 << 20;
const HEARTBEAT_MS = 15_000;

/** Server-sent events (WHATWG HTML, section 9.2) to all who listen. */
export class EventHub {
  readonly #listeners = new Set<ServerResponse>();
  readonly #dropped: Counter;
  #timer: NodeJS.Timeout | null = null;

  constructor({ metrics }: { metrics: Metrics }) {
    metrics.gauge('weir_http_listeners', 'Browsers that listen for events.').from(() => this.#listeners.size);
    this.#dropped = metrics.counter('weir_http_listeners_dropped_total', 'Listeners cut off because they were slow.');
  }

  /** @returns false when as many listen as may */
  add(response: ServerResponse): boolean {
    if (this.#listeners.size >= MOST_LISTENERS) return false;
    this.#listeners.add(response);
    response.on('close', () => this.#listeners.delete(response));
    response.on('error', () => this.#listeners.delete(response));
    this.#timer ??= setInterval(() => this.#write(': still here\n\n'), HEARTBEAT_MS).unref();
    return true;
  }

  send(event: string, data: unknown): void {
    if (this.#listeners.size > 0) this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const response of this.#listeners) response.end();
    this.#listeners.clear();
  }

  #write(text: string): void {
    for (const response of this.#listeners) {
      response.write(text);
      if (response.writableLength <= MOST_PENDING_BYTES) continue;
      this.#dropped.value++;
      this.#listeners.delete(response);
      response.destroy();
    }
  }
}
