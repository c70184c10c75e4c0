import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf, WeirError } from './errors.ts';

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
  return present(readText(secretPath(given.file, { baseDir, env })).split(/\r?\n/, 1)[0], given.file);
}

/**
 * A bare name is first looked for among the credentials that systemd gave (`LoadCredential=weir:FOLDER` names them
 * `weir_NAME`), then beside the configuration.
 */
export function secretPath(file: string, { baseDir, env }: SecretPlaces): string {
  const given = env['CREDENTIALS_DIRECTORY'];
  if (given !== undefined && /^[\w.-]+$/.test(file)) {
    for (const name of [file, `weir_${file}`]) if (existsSync(join(given, name))) return join(given, name);
  }
  return resolve(baseDir, file);
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
