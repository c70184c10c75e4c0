export { type LogKind, logKindOf } from './kind.ts';
export { type LogFormat, LogParser, type ParserOptions } from './log-parser.ts';
export { LogReader } from './log-reader.ts';
export { type LogDeps, LogSource } from './log-source.ts';
export type { Mapping } from './mapping.ts';
export { type LogOptions, logOptions, mappingOptions } from './options.ts';
export { fileLogKind, streamLogKind } from './sniff.ts';
export { SortedLogs, type SortedLogsOptions } from './sorted-logs.ts';
