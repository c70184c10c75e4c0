import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { SeriesPoint } from '../model/series.ts';
import { HistoryReader } from '../store/store.ts';

/** A page that looks on must not take the machine from the run. */
const LIMITS = { threads: '1', memory_limit: '256MB' };

/** Points of stored series beside a run: one question at a time, nothing kept open between them. */
export class StoredPoints {
  readonly #path: string;
  readonly #logger: Logger;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** A history that cannot be read is empty, and it is said. */
  read(name: string, sinceUs: number, untilUs: number): Promise<SeriesPoint[]> {
    const answer = this.#last.then(() => this.#read(name, sinceUs, untilUs));
    this.#last = answer;
    return answer;
  }

  async #read(name: string, sinceUs: number, untilUs: number): Promise<SeriesPoint[]> {
    const reader = new HistoryReader(this.#path, LIMITS);
    try {
      return await reader.series(name, { sinceUs, untilUs });
    } catch (error) {
      this.#logger.warn({ code: 'web.history', error: messageOf(error) });
      return [];
    } finally {
      reader.close();
    }
  }
}
