/** Exit codes of every command (see docs/commands.md). */
export const EXIT_OK = 0;
/** The answer is "no": a rule test failed, a check found errors. */
export const EXIT_NO = 1;
/** Wrong usage or configuration. */
export const EXIT_USAGE = 2;
/** Finished, but some input was damaged; all good input was used. */
export const EXIT_DAMAGED = 3;
/** Nothing could be read. */
export const EXIT_UNREADABLE = 4;
