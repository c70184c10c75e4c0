import type { Worker } from 'node:worker_threads';
import { messageOf, WeirError } from '../core/errors.ts';
import { startThread } from '../core/thread.ts';
import type { Written } from './history-worker.ts';
import type { HourBatch } from './hour-files.ts';

/** Its objects live for one batch: room for more young ones would only be filled. */
const YOUNG_MB = 8;

/** The writing thread, as the one that stages sees it. Starts with the first batch; begins anew should it die. */
export class HistoryThread {
  #worker: Worker | null = null;

  /** One at a time. @throws WeirError `history.write` when a file cannot be written @returns bytes written */
  async write(batch: HourBatch): Promise<number> {
    this.#worker ??= startWorker();
    const worker = this.#worker;
    worker.ref();
    try {
      const written = await answer(worker, batch);
      if ('bytes' in written) return written.bytes;
      throw new WeirError('history.write', written.error);
    } catch (cause) {
      if (cause instanceof WeirError) throw cause;
      this.#worker = null;
      throw new WeirError('history.write', `the writing thread ended: ${messageOf(cause)}`, { cause });
    } finally {
      worker.unref();
    }
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }
}

function startWorker(): Worker {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
  return startThread(import.meta.url, 'history-worker', { name: 'weir-history', resourceLimits });
}

/** Rejects when the thread ends instead. */
function answer(worker: Worker, batch: HourBatch): Promise<Written> {
  return new Promise((resolve, reject) => {
    const listeners = {
      message: (written: Written) => over(() => resolve(written)),
      error: (error: Error) => over(() => reject(error)),
      exit: (code: number) => over(() => reject(new Error(`exit code ${code}`))),
    };
    const over = (settle: () => void) => {
      for (const [event, listener] of Object.entries(listeners)) worker.off(event, listener);
      settle();
    };
    for (const [event, listener] of Object.entries(listeners)) worker.on(event, listener);
    worker.postMessage(batch);
  });
}
