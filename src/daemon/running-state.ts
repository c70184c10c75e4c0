import packageJson from '../../package.json' with { type: 'json' };
import { WeirError } from '../core/errors.ts';
import { type Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { Decoder } from '../decode/decode.ts';
import type { Engine } from '../engine.ts';
import type { Prefix } from '../model/address.ts';
import type { Names } from '../model/names.ts';
import type { RuleSet } from '../model/plan.ts';
import type { SourceGroup } from './source-group.ts';
import type { TimeKeeper } from './time-keeper.ts';

/** What a checkpoint says of itself. */
export interface CheckpointFacts {
  build: string;
  /** Home nets as they were learned; null where the configuration says them. */
  home: Prefix[] | null;
  rules: { id: string; fingerprint: string }[];
}

export interface Parts {
  names: Names;
  decoder: Decoder;
  engine: Engine;
  time: TimeKeeper;
  sources: SourceGroup;
  /** What is staged and not in files yet. */
  history: Stateful;
  /** What watches the daemon itself. */
  self?: Stateful | null;
}

export function factsOf(rules: RuleSet, home: Prefix[] | null): CheckpointFacts {
  const known = rules.rules.map(({ id, fingerprint }) => ({ id, fingerprint }));
  return { build: packageJson.version, home, rules: known };
}

/** The whole state of the run; views on it, to be copied before it goes on. */
export function saveRun(facts: CheckpointFacts, parts: Parts): StateWriter {
  const out = new StateWriter();
  out.section('facts', (section) => section.json(facts));
  for (const name of ['names', 'decoder', 'engine', 'time', 'sources', 'history'] as const) {
    out.section(name, (section) => parts[name].save(section));
  }
  const { self } = parts;
  if (self) out.section('self', (section) => self.save(section));
  return out;
}

/** The sections of a saved run, to be taken up one by one in the order in which they depend on each other. */
export class SavedRun {
  readonly facts: CheckpointFacts;
  readonly #sections: ReadonlyMap<string, StateReader>;

  constructor(body: Uint8Array) {
    this.#sections = new StateReader(body).sections();
    this.facts = this.section('facts').json<CheckpointFacts>();
  }

  /** What a run said of itself need not be there, and not every run watches itself. */
  restoreSelf(self: Stateful | null | undefined): void {
    const state = this.#sections.get('self');
    if (state) self?.restore(state);
  }

  section(name: Exclude<keyof Parts, 'self'> | 'facts'): StateReader {
    const section = this.#sections.get(name);
    if (section) return section;
    throw new WeirError('state.damaged', `the checkpoint has no section ${name}`);
  }
}
