import type { Predicate } from '../model/plan.ts';

export const TRUE: Predicate = { op: 'true' };
const FALSE: Predicate = { op: 'not', arg: TRUE };

export function isFalse(predicate: Predicate): boolean {
  return predicate.op === 'not' && predicate.arg.op === 'true';
}

/** All of them: flattened, without `true`, flag tests of one field joined to one mask test, repeats dropped. */
export function and(args: Predicate[]): Predicate {
  const flat = args.flatMap((arg) => (arg.op === 'and' ? arg.args : [arg])).filter((arg) => arg.op !== 'true');
  if (flat.some(isFalse)) return FALSE;
  const joined = unique(joinFlags(flat));
  if (joined.some(isFalse)) return FALSE;
  if (joined.length === 0) return TRUE;
  return joined.length === 1 ? joined[0] : { op: 'and', args: joined };
}

/** Any of them: flattened, without `false`, sets of one field joined. */
export function or(args: Predicate[]): Predicate {
  const flat = args.flatMap((arg) => (arg.op === 'or' ? arg.args : [arg])).filter((arg) => !isFalse(arg));
  if (flat.some((arg) => arg.op === 'true')) return TRUE;
  const joined = unique(joinSets(flat));
  if (joined.length === 0) return FALSE;
  return joined.length === 1 ? joined[0] : { op: 'or', args: joined };
}

/** One flag is off, not not, and the bounds of numbers stay; everything else keeps its `not`. */
export function not(arg: Predicate): Predicate {
  if (arg.op === 'not') return arg.arg;
  if (arg.op === 'flags' && isSingleBit(arg.mask)) return { ...arg, value: arg.value ^ arg.mask };
  return { op: 'not', arg };
}

const isSingleBit = (mask: number): boolean => mask !== 0 && (mask & (mask - 1)) === 0;

/** `flags S and not flags A` is one test: (flags & SA) == S. */
function joinFlags(args: Predicate[]): Predicate[] {
  const result: Predicate[] = [];
  for (const arg of args) {
    const at = arg.op === 'flags' ? result.findIndex((old) => old.op === 'flags' && old.field === arg.field) : -1;
    const old = at < 0 ? null : result[at];
    if (arg.op !== 'flags' || old?.op !== 'flags') result.push(arg);
    else if (((old.value ^ arg.value) & old.mask & arg.mask) !== 0) result[at] = FALSE;
    else result[at] = { ...arg, mask: old.mask | arg.mask, value: old.value | arg.value };
  }
  return result;
}

function joinSets(args: Predicate[]): Predicate[] {
  const result: Predicate[] = [];
  for (const arg of args) {
    const at = result.findIndex(
      (old) => old.op === arg.op && 'field' in old && 'field' in arg && old.field === arg.field,
    );
    const joined = at < 0 ? null : joinTwo(result[at], arg);
    if (joined) result[at] = joined;
    else result.push(arg);
  }
  return result;
}

function joinTwo(a: Predicate, b: Predicate): Predicate | null {
  if (a.op === 'in' && b.op === 'in') {
    const values = [...new Set([...a.values, ...b.values])].sort((x, y) => x - y);
    return { ...a, values, ranges: unique([...a.ranges, ...b.ranges]) };
  }
  if (a.op === 'net' && b.op === 'net') return { ...a, nets: unique([...a.nets, ...b.nets]) };
  if (a.op === 'text' && b.op === 'text' && a.test === b.test) {
    return { ...a, values: unique([...a.values, ...b.values]) };
  }
  return null;
}

/** Equal by content; the first stays. */
export function unique<T>(items: T[]): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const text = JSON.stringify(item);
    return seen.has(text) ? false : seen.add(text) !== null;
  });
}
