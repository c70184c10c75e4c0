export interface BackoffOptions {
  firstMs: number;
  mostMs: number;
  /** 0..1; injected so that tests know it. */
  random: () => number;
}

/** Exponential backoff with jitter: after `attempts` failures, half to all of first x 2^(attempts-1), at most `mostMs`. */
export function backoffMs(attempts: number, { firstMs, mostMs, random }: BackoffOptions): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(whole * (0.5 + random() / 2));
}

/** Opens after so many failures in a row; then lets one message try, each time the pause is over. */
export class Breaker {
  readonly #after: number;
  readonly #pauseUs: number;
  #failures = 0;
  #openUntilUs = 0;

  constructor(options: { after: number; pauseMs: number }) {
    this.#after = options.after;
    this.#pauseUs = options.pauseMs * 1000;
  }

  get isOpen(): boolean {
    return this.#failures >= this.#after;
  }

  /** Before this time nothing is tried. */
  get openUntilUs(): number {
    return this.#openUntilUs;
  }

  fail(nowUs: number): void {
    this.#failures++;
    if (this.isOpen) this.#openUntilUs = nowUs + this.#pauseUs;
  }

  /** @returns true when this success closed an open breaker */
  succeed(): boolean {
    const wasOpen = this.isOpen;
    this.#failures = 0;
    this.#openUntilUs = 0;
    return wasOpen;
  }
}
