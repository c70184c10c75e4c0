import { formatDuration } from '../core/units.ts';
import { FIELDS } from '../model/field.ts';
import type { RulePlan } from '../model/plan.ts';
import { FUNCTIONS, type ParamSpec } from './functions.ts';

const begin = (name: string) => `<!-- ${name}: written by weir schema --write -->`;
const END = '<!-- end -->';

/** Writes the generated tables of docs/rules.md between their marks; the rest of the text stays as it is. */
export function withReference(text: string, rules: readonly RulePlan[]): string {
  const tables = { fields: fieldTable(), measures: measureTable(), library: libraryTable(rules) };
  return Object.entries(tables).reduce((page, [name, table]) => {
    const from = page.indexOf(begin(name));
    const to = page.indexOf(END, from);
    if (from < 0 || to < 0) return page;
    return `${page.slice(0, from)}${begin(name)}\n${table}\n${page.slice(to)}`;
  }, text);
}

const row = (...cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function fieldTable(): string {
  const rows = Object.entries(FIELDS).map(([name, { type, unit, key, doc }]) =>
    row(`\`${name}\``, unit === 'none' ? type : unit, key ? 'yes' : '', doc),
  );
  return [row('field', 'type', 'in `by`', 'meaning'), '|---|---|---|---|', ...rows].join('\n');
}

function measureTable(): string {
  const rows = Object.values(FUNCTIONS).map(({ form, doc, params }) => {
    const options = Object.entries(params).map(([name, param]) => `\`${name}\`${fallback(param)}: ${param.doc}`);
    return row(`\`${form}\``, doc, options.join('; '));
  });
  return [row('measure', 'value', 'options (default)'), '|---|---|---|', ...rows].join('\n');
}

function fallback({ default: value, unit }: ParamSpec): string {
  if (value === null) return '';
  const time = (us: number) => formatDuration(us).replaceAll(' ', '');
  if (Array.isArray(value)) return ` (${value.map(time).join('+')})`;
  return ` (${unit === 'time' && typeof value === 'number' ? time(value) : value})`;
}

function libraryTable(rules: readonly RulePlan[]): string {
  const rows = [...rules]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, title, tags, by, levels, thresholds }) => {
      const key = by.map(({ field }) => field).join(', ') || 'all traffic';
      const severities = levels.map(({ severity }) => severity).join(', ');
      return row(
        `[${id}](../rules/${tags.includes('self') ? 'self/' : ''}${id}.yaml)`,
        title,
        key,
        severities,
        Object.keys(thresholds).join(', '),
      );
    });
  return [row('rule', 'what', 'key', 'severities', 'thresholds'), '|---|---|---|---|---|', ...rows].join('\n');
}
