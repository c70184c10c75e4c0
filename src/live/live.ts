export { compileFilter } from './filter.ts';
export { lookUpInterface, type NetworkInterface } from './interface.ts';
export { type LiveDeps, LiveSource } from './live-source.ts';
export { loadLibc, viewMemory } from './native.ts';
export { type LiveOptions, liveOptions } from './options.ts';
export { LIVE_ENTRY, type LiveCounts, type LiveWorkerData } from './reader-thread.ts';
export { Ring } from './ring.ts';
export { PacketSocket, type RingShape, type SocketOptions } from './socket.ts';
