import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { WeirError } from '../core/errors.ts';

/** The store folder that a command is to read: `--store`, else the configuration's. */
export function storeFolder(options: { store?: string }, config: Config | null): string {
  const folder = options.store ?? config?.store.path;
  if (folder === undefined) {
    throw new WeirError('usage.store', 'which store? none was named', { hint: 'give --store DIR or -c weir.yaml' });
  }
  if (!existsSync(folder)) {
    throw new WeirError('store.missing', `there is no store in ${folder}`, {
      hint: 'weir replay FILE --store DIR makes one',
    });
  }
  return folder;
}

export function historyPath(options: { store?: string }, config: Config | null): string {
  return join(storeFolder(options, config), 'history');
}
