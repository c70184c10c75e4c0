import type { LogKind } from './kind.ts';
import type { Mapping } from './mapping.ts';

/** How a log is to be read: a kind that its content told, or what the configuration says. */
export type LogFormat = LogKind | Mapping;
