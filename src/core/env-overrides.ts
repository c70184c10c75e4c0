/** A variable of the environment that stands for an option. */
export interface Override {
  variable: string;
  path: string[];
  value: unknown;
}

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  default?: unknown;
}

/**
 * Every option that a variable can stand for, by its name: `store.retention.age` is `WEIR_STORE_RETENTION_AGE`. Single
 * values and lists of texts (joined by commas) can be given so; lists of objects cannot.
 */
export function variables(schema: unknown): Map<string, { path: string[]; type: string }> {
  const found = new Map<string, { path: string[]; type: string }>();
  collect(schema as Schema, [], found);
  return found;
}

/** What the environment says about the options of a schema. */
export function overridesOf(schema: unknown, env: Readonly<Record<string, string | undefined>>): Override[] {
  return [...variables(schema)].flatMap(([variable, { path, type }]) => {
    const text = env[variable];
    return text === undefined || text === '' ? [] : [{ variable, path, value: readValue(text, type) }];
  });
}

/** A copy of the data of a file, with the overrides in their places. */
export function applyOverrides(data: unknown, overrides: readonly Override[]): unknown {
  if (overrides.length === 0) return data;
  const copy = structuredClone(data ?? {}) as Record<string, unknown>;
  for (const { path, value } of overrides) put(copy, path, value);
  return copy;
}

function collect(schema: Schema, path: string[], found: Map<string, { path: string[]; type: string }>): void {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const here = [...path, name];
    if (here.length === 1 && name === 'version') continue;
    const list = property.type === 'array' && property.items?.type === 'string';
    if (property.properties) collect(property, here, found);
    else if (list || ['string', 'number', 'integer', 'boolean'].includes(property.type ?? '')) {
      found.set(`WEIR_${here.join('_').toUpperCase()}`, { path: here, type: property.type! });
    }
  }
}

function readValue(text: string, type: string): unknown {
  if (type === 'array') return text.split(',').map((item) => item.trim());
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'string') return text;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

/** A file that has no object there keeps its mistake: the schema reports it. */
function put(data: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = data;
  for (const name of path.slice(0, -1)) {
    at[name] ??= {};
    if (typeof at[name] !== 'object') return;
    at = at[name] as Record<string, unknown>;
  }
  at[path[path.length - 1]] = value;
}
