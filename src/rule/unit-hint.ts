import type { Unit } from '../core/units.ts';

const ENDING: Readonly<Record<Unit, string>> = {
  none: '',
  packets: 'p',
  bytes: 'B',
  bits: 'b',
  pps: 'pps',
  Bps: 'Bps',
  bps: 'bps',
  time: 's',
  flows: '',
  fps: 'fps',
  ratio: '%',
};

/** The same literal in the unit that was wanted: `10Mbps` for packets a second is `10Mpps`. */
export function withUnit(literal: string, unit: Unit): string | null {
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|[kMGT])?/.exec(literal);
  if (!match) return null;
  const prefix = unit === 'time' || unit === 'ratio' ? '' : (match[2] ?? '');
  return `${match[1]}${prefix}${ENDING[unit]}`;
}

export function unitHint(literal: string, unit: Unit): string | undefined {
  const meant = withUnit(literal, unit);
  return meant ? `did you mean ${meant}?` : undefined;
}
