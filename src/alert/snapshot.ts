import { messageOf, WeirError } from '../core/errors.ts';
import type { Evaluation } from '../model/alert.ts';
import type { RulePlan } from '../model/plan.ts';
import type { Episode } from './episode.ts';

const VERSION = 1;

export interface AlertSnapshot {
  episodes: Episode[];
  waiting: Evaluation[];
  settledUs: number;
}

/** A rule plan is known to whoever restores; the snapshot names it. */
interface Named {
  rule: { id: string; fingerprint: string };
}

interface Packed {
  version: number;
  /** Null: nothing settled yet. */
  settledUs: number | null;
  episodes: (Omit<Episode, 'rule'> & Named)[];
  waiting: (Omit<Evaluation, 'rule'> & Named)[];
}

export function packEpisodes(snapshot: AlertSnapshot): Uint8Array {
  const packed: Packed = {
    version: VERSION,
    settledUs: Number.isFinite(snapshot.settledUs) ? snapshot.settledUs : null,
    episodes: snapshot.episodes.map((episode) => ({ ...episode, rule: nameOf(episode.rule) })),
    waiting: snapshot.waiting.map((e) => ({ ...e, rule: nameOf(e.rule) })),
  };
  return new TextEncoder().encode(JSON.stringify(packed));
}

/** @returns `dropped`: ids of rules that had state and are not there any more, or changed */
export function unpackEpisodes(bytes: Uint8Array, rules: readonly RulePlan[]): AlertSnapshot & { dropped: string[] } {
  const packed = parse(bytes);
  const byName = new Map(rules.map((rule, index) => [`${rule.id} ${rule.fingerprint}`, { rule, index }]));
  const dropped = new Set<string>();
  const find = ({ id, fingerprint }: Named['rule']) => {
    const found = byName.get(`${id} ${fingerprint}`);
    if (!found) dropped.add(id);
    return found;
  };
  const episodes = packed.episodes.flatMap((episode) => {
    const found = find(episode.rule);
    return found ? [{ ...episode, rule: found.rule }] : [];
  });
  const waiting = packed.waiting.flatMap((e) => {
    const found = find(e.rule);
    return found ? [{ ...e, rule: found.rule, ruleIndex: found.index }] : [];
  });
  const settledUs = packed.settledUs ?? Number.NEGATIVE_INFINITY;
  return { episodes, waiting, settledUs, dropped: [...dropped].sort() };
}

function parse(bytes: Uint8Array): Packed {
  try {
    const packed = JSON.parse(new TextDecoder().decode(bytes)) as Packed;
    if (packed.version !== VERSION) throw new RangeError(`version ${packed.version}, not ${VERSION}`);
    return packed;
  } catch (cause) {
    throw new WeirError('alert.snapshot', `the saved alerts cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function nameOf({ id, fingerprint }: RulePlan): Named['rule'] {
  return { id, fingerprint };
}
