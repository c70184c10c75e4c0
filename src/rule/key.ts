import type { Text } from '../core/source-file.ts';
import { FIELDS } from '../model/field.ts';
import type { KeyPart } from '../model/plan.ts';
import type { Atom } from './ast.ts';
import { own } from './own.ts';
import { suggestion } from './suggest.ts';

export interface KeyNeeds {
  /** What the field must be good for: a key, or values that can be told apart. */
  use: 'key' | 'values';
}

/** `dst.ip`, `dst.ip/24|64`, `src.port`: a field, an address with the lengths it is cut to. */
export function compileKey(atom: Atom, text: Text, needs: KeyNeeds): KeyPart | null {
  const [name, lengths] = atom.text.split('/');
  const field = own(FIELDS, name);
  if (!field) {
    const names = Object.keys(FIELDS).filter((known) => needs.use === 'values' || FIELDS[known].key);
    text.report(atom.start, 'rule.unknown_field', `'${name}' is no field`, suggestion(name, names));
    return null;
  }
  if (needs.use === 'key' ? !field.key : field.type === 'flags' || field.type === 'bool') {
    text.report(atom.start, 'rule.type', `${name} cannot be part of a key`);
    return null;
  }
  if (field.type !== 'ip') return { field: name, prefix: null };
  const prefix = lengths === undefined ? { ipv4: 32, ipv6: 128 } : readLengths(lengths);
  if (prefix.ipv4 <= 32 && prefix.ipv6 <= 128) return { field: name, prefix };
  text.report(atom.start + name.length + 1, 'rule.prefix', `${lengths}: at most /32 for IPv4, /128 for IPv6`);
  return null;
}

/** `/24|64` is /24 for IPv4 and /64 for IPv6; `/24` alone leaves IPv6 addresses whole. */
function readLengths(text: string): { ipv4: number; ipv6: number } {
  const [ipv4, ipv6 = '128'] = text.split('|');
  return { ipv4: Number(ipv4), ipv6: Number(ipv6) };
}
