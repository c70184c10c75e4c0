import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { WeirError } from '../core/errors.ts';
import { parseQuantity } from '../core/units.ts';
import type { Key } from '../model/window-result.ts';
import { STANDARD_INPUT } from '../source/source.ts';

/** Files of the sources of a configuration, in a fixed order. */
export function sourcePaths(config: Config | null): string[] {
  if (config === null) {
    throw new WeirError('usage.input', 'what shall be replayed?', { hint: 'weir replay FILE..., or -c weir.yaml' });
  }
  const paths = config.sources.flatMap((source) => {
    if (!('path' in source)) return source.type === 'stdin' ? [STANDARD_INPUT] : [];
    const pattern = source.type === 'directory' ? join(source.path, source.pattern ?? '*') : source.path;
    return globSync(pattern).sort();
  });
  if (paths.length > 0) return paths;
  throw new WeirError('usage.input', 'the sources of the configuration name no file that exists', {
    hint:
      config.sources.map((source) => ('path' in source ? source.path : source.type)).join(', ') || 'sources: is empty',
  });
}

/** What `if_speed` is for a key: of the interface, else of its exporter; NaN where nobody said. */
export function interfaceSpeeds(config: Config | null): (key: Key) => number {
  const speeds = new Map<string, number>();
  for (const { exporter, in_if, speed } of config?.interfaces ?? []) {
    speeds.set(`${exporter} ${in_if ?? ''}`, parseQuantity(speed)?.value ?? Number.NaN);
  }
  return (key) => {
    const port = key['in_if'] ?? key['out_if'] ?? '';
    return speeds.get(`${key['exporter']} ${port}`) ?? speeds.get(`${key['exporter']} `) ?? Number.NaN;
  };
}
