import { parseDurationUs } from '../core/units.ts';
import { inPrefix, parsePrefix } from '../model/address.ts';
import type { Transition } from '../model/alert.ts';
import type { Channel } from './content.ts';
import { type Grouping, groupIdOf } from './group.ts';
import { type RouteOptions, routeOptions } from './options.ts';

/** How a channel is to be told of a transition. */
export interface Target {
  channel: string;
  /** Null: alone and at once. */
  group: Grouping | null;
  /** How often an alert that still fires is told again; null: never. */
  repeatUs: number | null;
}

interface Route {
  to: ReadonlySet<string>;
  states: ReadonlySet<string>;
  matches: (transition: Transition) => boolean;
  groupBy: readonly string[];
  waitUs: number;
  intervalUs: number;
  repeatUs: number | null;
}

/** Says which channels a transition goes to: those of every route that matches, or all where there are no routes. */
export class Router {
  readonly #channels: readonly Pick<Channel, 'name' | 'groups'>[];
  readonly #routes: Route[];

  constructor(routes: readonly RouteOptions[], channels: readonly Pick<Channel, 'name' | 'groups'>[]) {
    this.#channels = channels;
    const all = routeOptions.parse({ to: ['all'] });
    this.#routes =
      routes.length > 0 ? routes.map(compile) : [compile({ ...all, to: channels.map(({ name }) => name) })];
  }

  /** In the order of the configuration. The first route that leads to a channel says how. */
  targetsFor(transition: Transition): Target[] {
    const routes = this.#routes.filter(({ states, matches }) => states.has(transition.state) && matches(transition));
    return this.#channels.flatMap(({ name, groups }) => {
      const route = routes.find(({ to }) => to.has(name));
      if (!route) return [];
      return [{ channel: name, group: groups ? groupingOf(route, transition) : null, repeatUs: route.repeatUs }];
    });
  }
}

function groupingOf({ groupBy, waitUs, intervalUs }: Route, transition: Transition): Grouping | null {
  return groupBy.length === 0 ? null : { id: groupIdOf(transition, groupBy), waitUs, intervalUs };
}

function compile(options: RouteOptions): Route {
  const { match, to, states, group_by, group_wait, group_interval, repeat_interval } = options;
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
  return {
    to: new Set(to),
    states: new Set(states),
    matches: (t) => tests.every((test) => test(t)),
    groupBy: group_by,
    waitUs: parseDurationUs(group_wait),
    intervalUs: parseDurationUs(group_interval),
    repeatUs: repeat_interval === undefined ? null : parseDurationUs(repeat_interval),
  };
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
