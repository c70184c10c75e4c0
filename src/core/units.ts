/** The dimensions a literal of rules, options and config may have. */
export type Unit = 'none' | 'packets' | 'bytes' | 'bits' | 'pps' | 'Bps' | 'bps' | 'time' | 'flows' | 'fps' | 'ratio';

export interface Quantity {
  /** In the unit's base: packets, bytes, bits, per second; microseconds for time; 0..1 for per cent. */
  value: number;
  unit: Unit;
}

const DECIMAL: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const BINARY: Record<string, number> = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 };
const TIME_US: Record<string, number> = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6, d: 86400e6, w: 604800e6 };
const SUFFIX: Record<string, Unit> = {
  pps: 'pps',
  Bps: 'Bps',
  bps: 'bps',
  B: 'bytes',
  b: 'bits',
  p: 'packets',
  fps: 'fps',
};
const LITERAL = /^(-?\d+(?:\.\d+)?)([A-Za-z%]*)$/;

/**
 * Reads a literal such as `20kpps`, `1Gbps`, `5m`, `20%`, `64KiB`, `20k`, `3`. A bare `m` is minutes and never "milli";
 * upper-case `M` is mega. Returns null when the text is no literal.
 */
export function parseQuantity(text: string): Quantity | null {
  const match = LITERAL.exec(text);
  if (!match) return null;
  const number = Number(match[1]);
  const suffix = match[2];
  if (suffix === '%') return { value: number / 100, unit: 'ratio' };
  if (Object.hasOwn(TIME_US, suffix)) return { value: number * TIME_US[suffix], unit: 'time' };
  if (Object.hasOwn(DECIMAL, suffix)) return { value: number * DECIMAL[suffix], unit: 'none' };
  for (const ending of ['pps', 'Bps', 'bps', 'fps', 'B', 'b', 'p']) {
    if (!suffix.endsWith(ending)) continue;
    const prefix = suffix.slice(0, -ending.length);
    const factor = Object.hasOwn(DECIMAL, prefix)
      ? DECIMAL[prefix]
      : Object.hasOwn(BINARY, prefix)
        ? BINARY[prefix]
        : 0;
    if (factor !== 0) return { value: number * factor, unit: SUFFIX[ending] };
  }
  return null;
}

const SPAN = /^(?:\d+(?:\.\d+)?(?:us|ms|[smhdw]))+$/;

/** Reads a duration (`10s`, `5m`, `30d`, `1h30m`) as microseconds; NaN when it is none. */
export function parseDurationUs(text: string): number {
  const span = text.trim();
  if (!SPAN.test(span)) return Number.NaN;
  const parts = span.match(/\d+(?:\.\d+)?[a-z]+/g) ?? [];
  return parts.reduce((sum, part) => sum + (parseQuantity(part)?.value ?? Number.NaN), 0);
}

/** Reads a size in bytes (`20GB`, `64KiB`, `512`); NaN when it is none. */
export function parseBytes(text: string): number {
  const quantity = parseQuantity(text.trim());
  return quantity && (quantity.unit === 'bytes' || quantity.unit === 'none') ? quantity.value : Number.NaN;
}

/** A number with a decimal prefix and three significant digits: `12.3 k`, `1.05 G`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  for (const [prefix, factor] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    // What rounds to the next prefix takes it.
    if (size >= factor * 0.9995) return `${(value / factor).toPrecision(3)} ${prefix}`;
  }
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

/** A quantity as people read it: `12.3 kpps`, `1.05 Gbps`, `40%`, `5m`. */
export function formatQuantity(value: number, unit: Unit): string {
  if (unit === 'ratio') return `${Number((value * 100).toPrecision(3))}%`;
  if (unit === 'time') return formatDuration(value);
  const name: Record<string, string> = { packets: 'packets', bytes: 'B', bits: 'b', flows: 'flows', none: '' };
  const text = formatNumber(value);
  const suffix = name[unit] ?? unit;
  if (suffix === '') return text.replace(' ', '');
  return /[kMGT]$/.test(text) && suffix.length <= 3 ? `${text}${suffix}` : `${text} ${suffix}`;
}

/** Microseconds as the largest units that matter: `1d 4h`, `2m 5s`, `350ms`. */
export function formatDuration(us: number): string {
  if (!Number.isFinite(us)) return '-';
  if (us < 0) return `-${formatDuration(-us)}`;
  if (us < 1e6) return us < 1e3 ? `${us}us` : `${Number((us / 1e3).toPrecision(3))}ms`;
  const seconds = Math.round(us / 1e6);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count}${name}`)
    .join(' ');
}
