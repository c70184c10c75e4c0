import { parentPort } from 'node:worker_threads';
import { keepCompiledCode } from './core/compiled-code.ts';

/** The entry of the thread that reads and meters: what it loads comes from the cache of compiled code. Then it waits for its work. */
keepCompiledCode();
const { meterPackets } = await import('./packet-metering.ts');
parentPort!.once('message', meterPackets);
