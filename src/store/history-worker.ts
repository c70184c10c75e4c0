import { parentPort } from 'node:worker_threads';
import { messageOf } from '../core/errors.ts';
import { type HourBatch, writeHours } from './hour-files.ts';

/** The thread that turns staged rows into files. One batch at a time: it answers when the files are safe, or why not. */
export type Written = { bytes: number } | { error: string };

parentPort?.on('message', (batch: HourBatch) => {
  let answer: Written;
  try {
    answer = { bytes: writeHours(batch) };
  } catch (error) {
    answer = { error: messageOf(error) };
  }
  parentPort?.postMessage(answer);
});
