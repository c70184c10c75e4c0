import * as step from './step-codes.ts';

/**
 * The step that a frame of each link type begins with (tcpdump.org/linktypes.html). Link types that are not here are
 * counted and never guessed.
 */
const FIRST_STEPS: readonly [number, number][] = [
  [0, step.NULL_LOOPBACK],
  [1, step.ETHERNET],
  [12, step.IP], // DLT_RAW of most systems
  [14, step.IP], // DLT_RAW of OpenBSD
  [101, step.IP],
  [108, step.NULL_LOOPBACK],
  [113, step.SLL],
  [228, step.IP],
  [229, step.IP],
  [276, step.SLL2],
];

export const LINK_STEPS: ReadonlyMap<number, number> = new Map(FIRST_STEPS);
