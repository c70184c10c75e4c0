import type { Readable } from 'node:stream';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Intake } from '../model/intake.ts';
import { standardInputOrigin } from './origin.ts';
import { StreamInput } from './standard-input.ts';
import { StreamSource } from './stream-source.ts';

/** A capture on standard input: read once; its end is the source's end. */
export class StdinSource extends StreamSource {
  readonly #stream: Readable | null;
  readonly #state: { opened: boolean };

  constructor(
    name: string,
    deps: { metrics: Metrics; logger: Logger; boundUs: number },
    stream: Readable | null = null,
  ) {
    const state = { opened: false };
    super(name, { ...deps, ended: () => state.opened });
    this.#state = state;
    this.#stream = stream;
  }

  override start(wake: () => void): void {
    super.start(wake);
    standardInputOrigin(this.#stream, {})
      .then((origin) => {
        const input = origin.again ? null : origin.open();
        return this.open({ origin, input: input instanceof StreamInput ? input : null });
      })
      .then(() => {
        this.#state.opened = true;
        wake();
      });
  }

  override async poll(intake: Intake, budget: number, untilUs?: number): Promise<boolean> {
    return this.#state.opened ? super.poll(intake, budget, untilUs) : false;
  }
}
