import { messageOf, WeirError } from './errors.ts';
import type { Logger } from './logger.ts';

/** A part with a life: inert after construction, acting after `start`, `stop` may be called twice. */
export interface Component {
  readonly name: string;
  start(): void | Promise<void>;
  stop(): void | Promise<void>;
}

/** Starts components in order and stops them in reverse, each within the deadline. */
export class Lifecycle {
  readonly #components: Component[];
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  #started: Component[] = [];

  constructor(components: Component[], options: { logger: Logger; deadlineMs?: number }) {
    this.#components = components;
    this.#logger = options.logger;
    this.#deadlineMs = options.deadlineMs ?? 10_000;
  }

  async start(): Promise<void> {
    for (const component of this.#components) {
      try {
        await component.start();
        this.#started.push(component);
      } catch (cause) {
        await this.stop();
        throw new WeirError('component.start', `${component.name} did not start: ${messageOf(cause)}`, { cause });
      }
    }
  }

  async stop(): Promise<void> {
    const started = this.#started.reverse();
    this.#started = [];
    for (const component of started) {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), this.#deadlineMs);
      });
      try {
        const outcome = await Promise.race([Promise.resolve(component.stop()), deadline]);
        if (outcome === 'late') this.#logger.error({ code: 'component.stop_late', component: component.name });
      } catch (error) {
        this.#logger.error({ code: 'component.stop', component: component.name, error: messageOf(error) });
      } finally {
        clearTimeout(timer);
      }
    }
  }
}
