import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps compiled code between runs: starting takes half the time then. Not in a folder that others may write to. Each thread
 * asks for itself, before it loads what is to be kept.
 */
export function keepCompiledCode(): void {
  enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'weir'));
}
