import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts the thread whose entry stands beside the caller: `name` without its ending, which is that of the caller's own file, so
 * that sources and what is built of them both find it.
 * @param caller the caller's `import.meta.url`
 */
export function startThread(caller: string, name: string, options: WorkerOptions): Worker {
  return new Worker(new URL(`./${name}${caller.endsWith('.ts') ? '.ts' : '.js'}`, caller), options);
}
