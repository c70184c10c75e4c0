import { createHash } from 'node:crypto';

/** 32 hex digits; JSON keeps the parts apart whatever they contain. */
export function keyHash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
