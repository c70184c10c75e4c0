import type { Histogram, Metrics } from './metrics.ts';

interface Family {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  lines: string[];
}

/** Content type of the text format. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** A name and its labels: `weir_x{a="b"}`. */
const NAME = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?$/s;

/** All measurements in the text format of Prometheus (exposition format 0.0.4): families in order of their names. */
export function expose(metrics: Metrics): string {
  const families = new Map<string, Family>();
  for (const { name, help, value } of metrics.all()) add(families, 'counter', name, help, value);
  for (const { name, help, value } of metrics.gauges())
    if (!Number.isNaN(value)) add(families, 'gauge', name, help, value);
  for (const histogram of metrics.histograms()) addHistogram(families, histogram);
  let text = '';
  for (const [name, { type, help, lines }] of [...families].sort(([a], [b]) => (a < b ? -1 : 1))) {
    text += `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
  }
  return text;
}

function add(families: Map<string, Family>, type: Family['type'], whole: string, help: string, value: number): void {
  const [, name] = NAME.exec(whole) ?? [];
  if (name === undefined) return;
  familyOf(families, type, name, help).lines.push(`${whole} ${numberText(value)}`);
}

function addHistogram(families: Map<string, Family>, { name: whole, help, bounds, counts, sum }: Histogram): void {
  const [, name, labels = ''] = NAME.exec(whole) ?? [];
  if (name === undefined) return;
  const { lines } = familyOf(families, 'histogram', name, help);
  const before = labels === '' ? '' : `${labels},`;
  const after = labels === '' ? '' : `{${labels}}`;
  let total = 0;
  counts.forEach((count, i) => {
    total += count;
    lines.push(`${name}_bucket{${before}le="${i < bounds.length ? bounds[i] : '+Inf'}"} ${total}`);
  });
  lines.push(`${name}_sum${after} ${numberText(sum)}`, `${name}_count${after} ${total}`);
}

function familyOf(families: Map<string, Family>, type: Family['type'], name: string, help: string): Family {
  let family = families.get(name);
  if (!family) {
    family = { type, help, lines: [] };
    families.set(name, family);
  }
  return family;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
