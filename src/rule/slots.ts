import type { Path, SourceFile, Text } from '../core/source-file.ts';
import type { RawOverride, RawRule } from './schema.ts';
import type { Scope } from './scope.ts';

/** A rule, or an override of one, where it is written. */
export interface Written {
  source: SourceFile;
  path: Path;
  raw: RawRule | RawOverride;
  scope: Scope;
}

export interface Slot<T> {
  value: T;
  path: Path;
  from: Written;
}

/** Reads a rule slot by slot: the last override that has the slot wins, and errors point into its file. */
export class Slots {
  readonly rule: Written;
  readonly layers: readonly Written[];

  constructor(rule: Written, overrides: readonly Written[]) {
    this.rule = rule;
    this.layers = [rule, ...overrides];
  }

  get<K extends keyof RawRule>(name: K): Slot<NonNullable<RawRule[K]>> | null {
    return this.all(name).at(-1) ?? null;
  }

  /** From the rule to its last override. */
  all<K extends keyof RawRule>(name: K): Slot<NonNullable<RawRule[K]>>[] {
    return this.layers.flatMap((from) => {
      const value = (from.raw as Partial<RawRule>)[name];
      return value === undefined ? [] : [{ value: value as NonNullable<RawRule[K]>, path: [...from.path, name], from }];
    });
  }

  report(name: keyof RawRule, code: string, message: string, hint?: string, level?: 'warning'): void {
    const slot = this.get(name);
    const from = slot?.from ?? this.rule;
    from.source.report(slot?.path ?? this.rule.path, code, message, hint, level);
  }
}

/** The expression at a slot or below it. */
export function textAt<T>(slot: Slot<T>, ...below: (string | number)[]): Text {
  const path = [...slot.path, ...below];
  return slot.from.source.text(path) ?? { value: '', report: (_, ...rest) => slot.from.source.report(path, ...rest) };
}
