import { parentPort } from 'node:worker_threads';
import { keepCompiledCode } from '../core/compiled-code.ts';
import { messageOf } from '../core/errors.ts';
import type { HourBatch } from './hour-files.ts';

/**
 * The thread that turns staged rows into files; what it loads comes from the cache of compiled code. One batch at a time: it
 * answers when the files are safe, or why not.
 */
export type Written = { bytes: number } | { error: string };

keepCompiledCode();
const { writeHours } = await import('./hour-files.ts');

parentPort?.on('message', (batch: HourBatch) => {
  let answer: Written;
  try {
    answer = { bytes: writeHours(batch) };
  } catch (error) {
    answer = { error: messageOf(error) };
  }
  parentPort?.postMessage(answer);
});
