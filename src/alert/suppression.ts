import { inPrefix, parsePrefix } from '../model/address.ts';
import type { RulePlan, Suppression } from '../model/plan.ts';
import type { Episode } from './episode.ts';

/** Finds whether a firing alert of another rule speaks for this one (`suppresses`). */
export function isSuppressed(episode: Episode, suppressors: Iterable<Episode>): boolean {
  for (const other of suppressors) {
    if (other.rule.id !== episode.rule.id && speaksFor(other, episode)) return true;
  }
  return false;
}

export function suppresses(rule: RulePlan): boolean {
  return rule.suppresses.length > 0;
}

function speaksFor(loud: Episode, quiet: Episode): boolean {
  return loud.rule.suppresses.some((entry) => names(entry, quiet.rule.id) && covers(entry, loud, quiet));
}

function names(entry: Suppression, id: string): boolean {
  return entry.rules.some((pattern) => (pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern));
}

function covers(entry: Suppression, loud: Episode, quiet: Episode): boolean {
  if (entry.within === null) return sameKey(loud, quiet);
  const inner = parsePrefix(String(quiet.key[entry.within] ?? ''));
  if (!inner) return false;
  return outerValues(loud, entry.within).some((text) => {
    const outer = parsePrefix(text);
    return outer !== null && inner.bits >= outer.bits && inPrefix(outer, Int32Array.from(inner.words), 0);
  });
}

/** The field of the same name where the rule has it, else any address of its key. */
function outerValues(loud: Episode, field: string): string[] {
  const own = loud.key[field];
  return own === undefined ? Object.values(loud.key).map(String) : [String(own)];
}

function sameKey(a: Episode, b: Episode): boolean {
  const names = Object.keys(a.key);
  return names.length === Object.keys(b.key).length && names.every((name) => a.key[name] === b.key[name]);
}
