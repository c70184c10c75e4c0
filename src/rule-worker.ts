import { keepCompiledCode } from './core/compiled-code.ts';

/** The entry of a thread that judges rules: what it loads comes from the cache of compiled code. */
keepCompiledCode();
await import('./rule-judging.ts');
