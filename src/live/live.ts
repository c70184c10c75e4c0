export { compileFilter } from './filter.ts';
export { lookUpInterface, type NetworkInterface } from './interface.ts';
export { type LiveDeps, LiveSource } from './live-source.ts';
export { loadLibc } from './native.ts';
export { type LiveOptions, liveOptions } from './options.ts';
export { Ring, type RingOptions } from './ring.ts';
