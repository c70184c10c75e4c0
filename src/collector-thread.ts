import type { Worker } from 'node:worker_threads';
import { startThread } from './core/thread.ts';
import type { CollectorWorkerData } from './exporter/exporter.ts';

/** What a thread holds is bounded and far below; without limits the heap is cleaned only when it is several times that. */
const resourceLimits = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 48 };

/** Starts the thread that takes and decodes the datagrams of one socket of a collector. */
export function startCollectorWorker(workerData: CollectorWorkerData): Worker {
  return startThread(import.meta.url, 'collector-worker', { workerData, resourceLimits });
}
