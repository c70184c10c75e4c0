import { inPrefix, parsePrefix } from '../model/address.ts';
import type { Transition } from '../model/alert.ts';
import type { RouteOptions } from './options.ts';

const DEFAULT_STATES = ['firing', 'escalated', 'deescalated', 'resolved'];

interface Route {
  to: string[];
  states: ReadonlySet<string>;
  matches: (transition: Transition) => boolean;
}

/** Says which channels a transition goes to: those of every route that matches, or all where there are no routes. */
export class Router {
  readonly #channels: readonly string[];
  readonly #routes: Route[];

  constructor(routes: readonly RouteOptions[], channels: readonly string[]) {
    this.#channels = channels;
    this.#routes =
      routes.length > 0
        ? routes.map(compile)
        : [{ to: [...channels], states: new Set(DEFAULT_STATES), matches: () => true }];
  }

  /** Names of channels, in the order of the configuration. */
  channelsFor(transition: Transition): string[] {
    const chosen = new Set<string>();
    for (const route of this.#routes) {
      if (route.states.has(transition.state) && route.matches(transition))
        for (const name of route.to) chosen.add(name);
    }
    return this.#channels.filter((name) => chosen.has(name));
  }
}

function compile({ match, to, states }: RouteOptions): Route {
  const tests: ((t: Transition) => boolean)[] = [];
  const { severity, rule, tags, key } = match;
  if (severity !== undefined) {
    const wanted = new Set<string>(list(severity));
    tests.push((t) => wanted.has(t.severity));
  }
  if (rule !== undefined) {
    const wanted = list(rule).map(pattern);
    tests.push((t) => wanted.some((each) => each.test(t.rule)));
  }
  if (tags !== undefined) {
    const wanted = list(tags).map(pattern);
    tests.push((t) => t.tags.some((tag) => wanted.some((each) => each.test(tag))));
  }
  for (const [field, text] of Object.entries(key ?? {})) tests.push(keyTest(field, text));
  return { to, states: new Set(states), matches: (t) => tests.every((test) => test(t)) };
}

/** An address or prefix holds what lies within it; other values must be equal. */
function keyTest(field: string, text: string): (t: Transition) => boolean {
  const outer = parsePrefix(text);
  return (t) => {
    const value = t.key[field];
    if (value === undefined) return false;
    const inner = outer ? parsePrefix(String(value)) : null;
    if (!outer || !inner) return String(value) === text;
    return inner.bits >= outer.bits && inPrefix(outer, Int32Array.from(inner.words), 0);
  };
}

function list<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

function pattern(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
