/** Wall time, for delivery, retention and schedules only. Decisions about traffic use event time. */
export interface Clock {
  /** Microseconds since the epoch. */
  nowUs(): number;
  /** Resolves after `ms` milliseconds, or rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowUs: () => Date.now() * 1000,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    }),
};

/** A clock that moves only when told to: for tests. */
export class ManualClock implements Clock {
  #nowUs: number;
  #sleepers: { atUs: number; wake: () => void }[] = [];

  constructor(startUs = 0) {
    this.#nowUs = startUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      this.#sleepers.push({ atUs: this.#nowUs + ms * 1000, wake: resolve });
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  /** How many are waiting: lets a test see that code reached its sleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Moves time and wakes, in order, whoever waited for it. */
  advance(ms: number): void {
    this.#nowUs += ms * 1000;
    const due = this.#sleepers.filter((sleeper) => sleeper.atUs <= this.#nowUs).sort((a, b) => a.atUs - b.atUs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.atUs > this.#nowUs);
    for (const sleeper of due) sleeper.wake();
  }
}
