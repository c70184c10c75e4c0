import { Worker } from 'node:worker_threads';
import type { CollectorWorkerData } from './exporter/exporter.ts';

/** Starts the thread that takes and decodes the datagrams of one socket of a collector. */
export function startCollectorWorker(workerData: CollectorWorkerData): Worker {
  const script = import.meta.url.endsWith('.ts') ? './collector-worker.ts' : './collector-worker.js';
  return new Worker(new URL(script, import.meta.url), { workerData });
}
