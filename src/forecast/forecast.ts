/** The door of the room: what weir learns about a regular series. */
export { baselines } from './baseline.ts';
