import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WeirError } from './errors.ts';

/** A file or folder that comes with weir (`rules`, `fixtures`), whether it runs from `src` or from `dist`. */
export function shipped(name: string): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, name);
    if (existsSync(path) && existsSync(join(folder, 'package.json')) && !folder.endsWith('dist')) return path;
  }
  throw new WeirError('install.missing', `${name} is missing from the installation`, { hint: 'install weir again' });
}
