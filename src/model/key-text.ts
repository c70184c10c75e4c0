import type { Key } from './window-result.ts';

/** A key as people read it: `dst.ip 192.0.2.7, src.port 53`. */
export function describeKey(key: Key): string {
  const fields = Object.entries(key);
  return fields.length === 0 ? 'all traffic' : fields.map(([name, value]) => `${name} ${value}`).join(', ');
}
