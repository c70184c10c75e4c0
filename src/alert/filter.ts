import { FIELDS, protocolName } from '../model/field.ts';
import type { RulePlan } from '../model/plan.ts';
import type { Key } from '../model/window-result.ts';

/** The rule's match and the key as one filter that `weir query` and `weir flows --filter` take. */
export function filterOf(rule: RulePlan, key: Key): string {
  const match = rule.matchText.trim();
  const parts = Object.entries(key).map(([field, value]) => term(field, value));
  if (match === '' || (match === 'any' && parts.length > 0)) return parts.join(' and ');
  if (parts.length > 0 && /(^|\s)or(\s|$)/.test(match)) parts.unshift(`(${match})`);
  else parts.unshift(match);
  return parts.join(' and ');
}

function term(field: string, value: string | number): string {
  if (field === 'proto') return `proto ${typeof value === 'number' ? protocolName(value) : value}`;
  const type = FIELDS[field]?.type;
  const words = field.replaceAll('.', ' ');
  if (type === 'ip') return `${String(value).includes('/') ? words.replace(/ip$/, 'net') : words} ${value}`;
  return type === 'text' ? `${words} "${String(value).replaceAll('"', '')}"` : `${words} ${value}`;
}
