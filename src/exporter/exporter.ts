/** Exporters' datagrams to rows: NetFlow, IPFIX and sFlow, from captures, files and sockets. */
export { CollectorLoop } from './collector-loop.ts';
export type { CollectorWorkerData } from './collector-memory.ts';
export { type CollectorOptions, sourceOptions } from './collector-options.ts';
export { type CollectorDeps, CollectorSource, createCollector } from './collector-source.ts';
export type { RecordKind, RecordSink } from './data-sets.ts';
export { looksLikeExport, messagesOf } from './export-file.ts';
export { ExporterDecoder, type ExporterDeps, type ExporterOptions } from './exporter-decoder.ts';
export type { ExporterStatus } from './exporter-status.ts';
export type { FrameDecoder } from './frames.ts';
export { Pairing } from './pairing.ts';
export { Reassembly } from './reassembly.ts';
export type { Elements } from './record-elements.ts';
export { payloadEnd, udpPayload } from './udp-payload.ts';
