import type { Text } from '../core/source-file.ts';
import type { Prefix } from '../model/address.ts';
import type { PredicateNode } from './ast.ts';

/** A macro: its tree is made once; errors inside it are told where it is written. */
export interface Macro {
  text: Text;
  tree: PredicateNode | null;
}

/** The names that an expression may use behind `$`, and the names of interfaces. */
export interface Scope {
  nets: ReadonlyMap<string, readonly Prefix[]>;
  ports: ReadonlyMap<string, PortSet>;
  macros: ReadonlyMap<string, Macro>;
  interfaces: ReadonlyMap<string, readonly number[]>;
  /** Files of networks, for `in feed NAME`. */
  feeds: ReadonlyMap<string, readonly Prefix[]>;
}

export interface PortSet {
  values: number[];
  ranges: [number, number][];
}

export const EMPTY_SCOPE: Scope = {
  nets: new Map(),
  ports: new Map(),
  macros: new Map(),
  interfaces: new Map(),
  feeds: new Map(),
};

/** What a `$name` is, for messages about one that stands in the wrong place. */
export function kindOfName(scope: Scope, name: string): 'net' | 'port list' | 'macro' | null {
  if (scope.nets.has(name)) return 'net';
  if (scope.ports.has(name)) return 'port list';
  return scope.macros.has(name) ? 'macro' : null;
}

export function allNames(scope: Scope): string[] {
  return [...scope.macros.keys(), ...scope.nets.keys(), ...scope.ports.keys()].map((name) => `$${name}`);
}
