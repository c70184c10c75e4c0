import { Worker } from 'node:worker_threads';
import type { CollectorWorkerData } from './exporter/exporter.ts';

/** What a thread holds is bounded and far below; without limits the heap is cleaned only when it is several times that. */
const resourceLimits = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 48 };

/** Starts the thread that takes and decodes the datagrams of one socket of a collector. */
export function startCollectorWorker(workerData: CollectorWorkerData): Worker {
  const script = import.meta.url.endsWith('.ts') ? './collector-worker.ts' : './collector-worker.js';
  return new Worker(new URL(script, import.meta.url), { workerData, resourceLimits });
}
