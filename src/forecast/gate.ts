import type { HeadState } from './horizon-head.ts';
import type { ModelLayout } from './model-layout.ts';
import { HELD, HELD_FROM, SEASON_SCALE } from './model-scalars.ts';
import { decodeCell, encodeCell, MISSING, type RingState } from './season-ring.ts';

/** Errors of more than this many scales are held for missing, for a while. */
const GATE = 8;
const GATE_AFTER = 12;
/** Days that differ by less than this many of their usual differences are alike. */
const NEAR = 2;

interface GateState extends HeadState, RingState {
  readonly layout: ModelLayout;
}

/** An outlier, for the time being; a value like others; an outlier that has lasted long enough. */
export type Verdict = 'held' | 'usual' | 'believed';

/**
 * A gross outlier is held for missing until it has lasted. A value like yesterday's or last week's is none: neither the
 * sharp edge that comes each day nor the end of a flood.
 */
export function verdictOf(m: GateState, z: number, forecast: number, t: number): Verdict {
  const s = m.scalars;
  const o = m.scalarsAt;
  const head = m.layout.heads[0];
  const off = Math.abs(z - forecast);
  const usual = isUsual(m, z, off, t);
  const near = !(off > GATE * head.scale(m));
  if (near || usual || head.learned(m) < GATE_AFTER) {
    // The scale grows while values are held: one that is like them has not come back.
    const lasts = s[o + HELD] > 0 && !usual && Math.abs(z - firstHeld(m)) < off / 2;
    s[o + HELD] = 0;
    return lasts ? 'believed' : 'usual';
  }
  if (s[o + HELD] >= m.layout.patience * harm(off)) {
    s[o + HELD] = 0;
    return 'believed';
  }
  if (s[o + HELD]++ === 0) s[o + HELD_FROM] = t;
  head.noteError(m, z - forecast);
  return 'held';
}

/** Whether a value is near yesterday's or last week's, and much nearer than to the forecast. */
function isUsual(m: GateState, z: number, off: number, t: number): boolean {
  const s = m.scalars;
  const at = m.scalarsAt + SEASON_SCALE;
  const { day, week, ring } = m.layout;
  const apart = day > 0 ? Math.abs(z - ring.at(m, t - day)) : Number.NaN;
  const scale = s[at];
  if (!Number.isNaN(apart)) s[at] += 0.02 * (1.25 * Math.min(apart, 4 * scale) - scale);
  const weekly = week > 0 ? Math.abs(z - ring.at(m, t - week)) : Number.NaN;
  const limit = Math.min(NEAR * scale, off / 4);
  return apart <= limit || weekly <= limit;
}

/** Keeps what is held; the ring has what was expected instead. */
export function keepHeld(m: GateState, raw: number, t: number): void {
  const { heldAt, heldCells, ring } = m.layout;
  const { stepsPerCell } = ring;
  const from = m.scalars[m.scalarsAt + HELD_FROM];
  const at = m.cellsAt + heldAt;
  if (t === from) m.cells.fill(MISSING, at, at + heldCells);
  const cell = Math.floor(t / stepsPerCell) - Math.floor(from / stepsPerCell);
  if (cell < heldCells) m.cells[at + cell] = encodeCell(raw);
}

/** The value with which the present outlier began. */
function firstHeld(m: GateState): number {
  return decodeCell(m.cells[m.cellsAt + m.layout.heldAt]);
}

/**
 * An outlier that is believed has been there from its first step. Without this the ring would never see the beginning of a
 * sharp edge that comes each day, and each day it would be an outlier again.
 */
export function releaseHeld(m: GateState): void {
  const { heldAt, heldCells, ring } = m.layout;
  const from = Math.floor(m.scalars[m.scalarsAt + HELD_FROM] / ring.stepsPerCell);
  const at = m.cellsAt + heldAt;
  for (let i = 0; i < heldCells; i++) if (m.cells[at + i] !== MISSING) ring.set(m, from + i, m.cells[at + i]);
}

/** A change by less than a fifth is believed at its next step, one by more than three only after the whole patience. */
const LITTLE = Math.log(1.2);
const MUCH = Math.log(3);
function harm(off: number): number {
  return Math.max(0.01, Math.min(1, (off - LITTLE) / (MUCH - LITTLE)));
}
