import type { ExporterState } from './exporter-state.ts';

/** What is known of one exporter: for `status`, `weir doctor` and rules. */
export interface ExporterStatus {
  exporter: string;
  version: number;
  datagrams: number;
  records: number;
  /** By sequence numbers, in the exporter's own unit. */
  lost: number;
  templates: number;
  samplingKnown: boolean;
  /** It sent records that name a sampler which it never described. */
  samplingUnknown: boolean;
  lastSeenUs: number;
  interfaces: Record<string, string>;
}

export function statusOf(exporter: ExporterState): ExporterStatus {
  const domains = [...exporter.domains.values()];
  return {
    exporter: exporter.key,
    version: exporter.version,
    datagrams: exporter.datagrams,
    records: exporter.records,
    lost: exporter.lost,
    templates: exporter.announced.size,
    samplingKnown: exporter.overrideRate > 0 || domains.some((domain) => domain.sampling.isKnown),
    samplingUnknown: exporter.samplingUnknown,
    lastSeenUs: exporter.lastSeenUs,
    interfaces: Object.fromEntries(exporter.interfaces),
  };
}
