/** Where the scalars of a seasonal model stand, before those of its heads. */
export const STARTED = 0;
export const LAST_INDEX = 1;
export const STEP = 2;
export const CURRENT = 3;
export const PREVIOUS = 4;
export const LEVEL = 5;
export const MEAN = 6;
export const LEAST = 7;
export const HELD = 8;
export const FILLED = 9;
export const REAL = 10;
export const SEASON_SCALE = 11;
export const FIRST_US = 12;
/** The step at which values began to be held for outliers. */
export const HELD_FROM = 13;
export const WEEK_SCALE = 14;
/** Widths of the intervals of a week ahead in units of `WEEK_SCALE`. */
export const WEEK_95 = 15;
export const WEEK_80 = 16;
/** Of the ring: what zero is read as, cells closed, where the next one goes. */
export const FLOOR = 17;
export const CLOSED = 18;
export const NEXT = 19;
export const MODEL_SCALARS = 20;
/** Only where a cell holds several steps: sum and number of the open one's values, its steps. */
export const CELL_SUM = 20;
export const CELL_VALUES = 21;
export const CELL_STEPS = 22;
export const CELL_SCALARS = 3;
