import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, WeirError } from '../core/errors.ts';

export interface SecretPlaces {
  /** Folder that relative paths count from. */
  baseDir: string;
  env: Readonly<Record<string, string | undefined>>;
}

interface Given {
  value: string | undefined;
  file: string | undefined;
  env: string | undefined;
}

/** The secret that the options name; undefined when they name none. Error texts never hold it. */
export function readSecret(given: Given, { baseDir, env }: SecretPlaces): string | undefined {
  if (given.value !== undefined) return given.value;
  if (given.env !== undefined) {
    return present(env[given.env], `the environment variable ${given.env}`);
  }
  if (given.file === undefined) return undefined;
  return present(readText(resolve(baseDir, given.file)).split(/\r?\n/, 1)[0], given.file);
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WeirError('notify.secret', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

function present(secret: string | undefined, place: string): string {
  if (secret === undefined || secret === '') {
    throw new WeirError('notify.secret', `there is no secret in ${place}`, { hint: 'put it on the first line' });
  }
  return secret;
}
