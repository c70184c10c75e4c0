import type { Worker } from 'node:worker_threads';
import { startThread } from './core/thread.ts';
import type { LiveWorkerData } from './live/live.ts';

/** Starts the thread that empties and decodes one ring of a live capture. */
export function startLiveWorker(workerData: LiveWorkerData): Worker {
  return startThread(import.meta.url, 'live-worker', { workerData });
}
