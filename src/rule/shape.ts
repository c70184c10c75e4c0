import type { z } from 'zod';
import type { Path, SourceFile } from '../core/source-file.ts';
import { fileShape, type RawFile } from './schema.ts';
import { suggestion } from './suggest.ts';

/**
 * The data of a file in its right shape; every misfit is reported at its place. What does not fit is left out, so that
 * the rest can be checked in the same run: `broken` holds the indices of rules that are only placeholders. Null when
 * nothing is left.
 */
export function readShape(file: SourceFile): { raw: RawFile; broken: Set<number> } | null {
  const broken = new Set<number>();
  const result = fileShape.safeParse(file.data);
  if (result.success) return { raw: result.data, broken };
  const rest = structuredClone(file.data);
  for (const issue of flatten(result.error.issues)) {
    reportIssue(file, fileShape, issue);
    prune(rest, issue, broken);
  }
  const again = fileShape.safeParse(rest);
  return again.success ? { raw: again.data, broken } : null;
}

/** Reports every misfit of any file against its shape. */
export function reportMisfits(file: SourceFile, shape: z.ZodType, issues: Issue[]): void {
  for (const issue of flatten(issues)) reportIssue(file, shape, issue);
}

type Tree = Record<string | number, unknown>;

const PLACEHOLDER = { id: 'broken', window: '1s', measure: {}, when: {} };

/** Takes a misfit out of the data: unknown keys alone, else the whole rule or the whole slot of the file. */
function prune(data: unknown, issue: Issue, broken: Set<number>): void {
  const [top, index] = issue.path as (string | number)[];
  const root = data as Tree;
  if (issue.code === 'unrecognized_keys') {
    const owner = (issue.path as (string | number)[]).reduce<unknown>((at, step) => (at as Tree)?.[step], root) as Tree;
    for (const key of issue.keys) delete owner?.[key];
  } else if (top === 'rules' && typeof index === 'number') {
    broken.add(index);
    (root['rules'] as Tree)[index] = PLACEHOLDER;
  } else if (top === 'version') root['version'] = 1;
  else if (top !== undefined) delete root[top];
}

type Issue = z.core.$ZodIssue;

/** Of a union, the branch that came nearest is what the author meant: the one with the deepest misfit. */
function flatten(issues: Issue[]): Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
    const branches = issue.errors.map((errors) => flatten(errors));
    const deep = branches.filter((errors) =>
      errors.every((error) => error.path.length > 0 || error.code === 'unrecognized_keys'),
    );
    if (deep.length !== 1) return [{ ...issue, message: `expected ${expectations(branches)}` }];
    return deep[0].map((error) => ({ ...error, path: [...issue.path, ...error.path] }));
  });
}

function expectations(branches: Issue[][]): string {
  const wanted = branches.map(([first]) => ('expected' in first ? String(first.expected) : first.message));
  return [...new Set(wanted)].join(' or ');
}

function reportIssue(file: SourceFile, shape: z.ZodType, issue: Issue): void {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(shape, path);
    for (const key of issue.keys) {
      const hint = suggestion(key, known);
      file.report([...path, key], 'rule.unknown_key', `unknown key ${key}`, hint, undefined, true);
    }
    return;
  }
  const name = path.length === 0 ? 'the file' : String(path.at(-1));
  file.report(path, 'rule.shape', `${name}: ${messageOf(issue)}`, hintOf(issue));
}

function messageOf(issue: Issue): string {
  if (issue.code === 'invalid_key') return `the name must be ${issue.issues[0]?.message ?? 'different'}`;
  if (issue.code === 'invalid_format') return `must be ${issue.message}`;
  if (issue.code === 'invalid_type' && issue.input === undefined) return `is missing or no ${issue.expected}`;
  return issue.message.replace(/^Invalid \w+: /, '').replace(/^Invalid input$/, 'has the wrong shape');
}

/** `{a: scan(dst.ip, dst.port)}` is two entries to YAML. */
const COMMA_HINT = 'inside { } a comma ends the value: put the expression into quotes, or give it a line of its own';

function hintOf(issue: Issue): string | undefined {
  if (issue.code === 'invalid_key' && /[()=.]/.test(String(issue.path.at(-1)))) return COMMA_HINT;
  if (issue.code !== 'invalid_value') return undefined;
  return `known: ${issue.values.map(String).join(', ')}`;
}

interface Definition {
  type: string;
  shape?: Record<string, z.ZodType>;
  innerType?: z.ZodType;
  element?: z.ZodType;
  valueType?: z.ZodType;
  options?: z.ZodType[];
}

/** The keys that are known at `path`: what an unknown one may have been meant to be. */
function keysAt(shape: z.ZodType, path: Path): string[] {
  let shapes = unwrap(shape);
  for (const step of path) shapes = shapes.flatMap((one) => child(one, step)).flatMap(unwrap);
  return shapes.flatMap((one) => Object.keys(definition(one).shape ?? {}));
}

const definition = (shape: z.ZodType): Definition => shape.def as unknown as Definition;

function child(shape: z.ZodType, step: string | number): z.ZodType[] {
  const { shape: keys, element, valueType } = definition(shape);
  const next = keys?.[step] ?? element ?? valueType;
  return next ? [next] : [];
}

function unwrap(shape: z.ZodType): z.ZodType[] {
  const { innerType, options } = definition(shape);
  if (innerType) return unwrap(innerType);
  return options ? options.flatMap(unwrap) : [shape];
}
