import { setImmediate } from 'node:timers/promises';

/** Lets a loop sleep until something wakes it, or for a tick of the clock. */
export class Waker {
  readonly #tickMs: number;
  #woken = false;
  #resume: () => void = () => {};

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  wake(): void {
    this.#woken = true;
    this.#resume();
  }

  /** What wakes from now on is heard by the next sleep. */
  reset(): void {
    this.#woken = false;
  }

  async sleep(): Promise<void> {
    if (this.#woken) return setImmediate();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#tickMs);
      this.#resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#resume = () => {};
  }
}
