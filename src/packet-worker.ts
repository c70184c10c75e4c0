import { keepCompiledCode } from './core/compiled-code.ts';

/** The entry of the thread that reads and meters: what it loads comes from the cache of compiled code. */
keepCompiledCode();
await import('./packet-metering.ts');
