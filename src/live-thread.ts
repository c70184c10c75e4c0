import { Worker } from 'node:worker_threads';
import type { LiveWorkerData } from './live/live.ts';

/** Starts the thread that empties and decodes one ring of a live capture. */
export function startLiveWorker(workerData: LiveWorkerData): Worker {
  const script = import.meta.url.endsWith('.ts') ? './live-worker.ts' : './live-worker.js';
  return new Worker(new URL(script, import.meta.url), { workerData });
}
