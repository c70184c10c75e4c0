import type { StateReader, StateWriter } from '../core/state.ts';
import type { Context } from './context.ts';
import type { Exporters } from './exporters.ts';
import type { FlowSets, SetFormat } from './flow-sets.ts';
import type { HeldSets } from './held-sets.ts';
import { IPFIX } from './ipfix.ts';
import { NETFLOW_V9 } from './netflow-v9.ts';
import { Sequence } from './sequence.ts';

const FORMATS: Readonly<Record<number, SetFormat>> = { 9: NETFLOW_V9, 10: IPFIX };

interface SavedTemplate {
  id: number;
  isOptions: boolean;
  seenUs: number;
  raw: string;
}

interface SavedDomain {
  version: number;
  id: number;
  bootUs: number;
  sampling: { common: number; samplers: [number, number][] };
  templates: SavedTemplate[];
}

interface SavedExporter {
  key: string;
  sender: string;
  lastSeenUs: number;
  version: number;
  lastUptimeMs: number;
  counts: number[];
  samplingUnknown: boolean;
  domains: SavedDomain[];
  sequences: [number, number[]][];
  interfaces: [number, string][];
  applications: [string, string][];
  vrfs: [number, string][];
}

/** What exporters announced and will not say again soon, so that nothing is undecoded after a restart. */
export function saveExporters(out: StateWriter, exporters: Exporters, held: HeldSets): void {
  const saved: SavedExporter[] = [...exporters.all()].map((e) => ({
    key: e.key,
    sender: e.sender,
    lastSeenUs: e.lastSeenUs,
    version: e.version,
    lastUptimeMs: e.lastUptimeMs,
    counts: [e.datagrams, e.records, e.lost, e.unknownRate],
    samplingUnknown: e.samplingUnknown,
    domains: [...e.domains.values()].map((d) => ({
      version: d.version,
      id: d.id,
      bootUs: d.bootUs,
      sampling: d.sampling.toJson() as SavedDomain['sampling'],
      templates: [...d.templates.values()].map((t) => ({
        id: t.id,
        isOptions: t.isOptions,
        seenUs: t.seenUs,
        raw: Buffer.from(t.raw).toString('base64'),
      })),
    })),
    sequences: [...e.sequences].map(([key, sequence]) => [key, sequence.toJson()]),
    interfaces: [...e.interfaces],
    applications: [...e.applications],
    vrfs: [...e.vrfs],
  }));
  out.json(saved);
  const waiting = [...held.all()];
  out.number(waiting.length);
  for (const { bytes, templateId, context } of waiting) {
    const { exporter, domain, exportUs, uptimeMs, receivedUs, headerRate } = context;
    out.json([exporter.key, domain.version, domain.id, templateId, exportUs, uptimeMs, receivedUs, headerRate]);
    out.bytes(bytes);
  }
}

export interface RestoredParts {
  exporters: Exporters;
  held: HeldSets;
  sets: FlowSets;
  /** Whether what this sender sent is taken up. */
  isMine(sender: string): boolean;
}

export function restoreExporters(state: StateReader, { exporters, held, sets, isMine }: RestoredParts): void {
  const mine = new Set<string>();
  for (const saved of state.json<SavedExporter[]>()) {
    if (!isMine(saved.sender)) continue;
    mine.add(saved.key);
    restoreExporter(saved, exporters, sets);
  }
  for (let n = state.number(); n > 0; n--) {
    const [key, version, domainId, templateId, exportUs, uptimeMs, receivedUs, headerRate] =
      state.json<[string, number, number, number, number, number | null, number, number]>();
    const bytes = state.bytes();
    if (!mine.has(key)) continue;
    const exporter = exporters.get(key, receivedUs);
    const domain = exporter.domain(version, domainId);
    const times = { exportUs, uptimeMs: uptimeMs ?? Number.NaN, receivedUs, headerRate };
    const context: Context = { exporter, domain, exporterName: exporter.name, ...times };
    held.insert({ bytes: bytes.slice(), templateId, context });
  }
}

function restoreExporter(saved: SavedExporter, exporters: Exporters, sets: FlowSets): void {
  const exporter = exporters.get(saved.key, saved.lastSeenUs);
  exporter.sender = saved.sender;
  exporter.version = saved.version;
  exporter.lastUptimeMs = saved.lastUptimeMs;
  [exporter.datagrams, exporter.records, exporter.lost, exporter.unknownRate] = saved.counts;
  exporter.samplingUnknown = saved.samplingUnknown;
  for (const { version, id, bootUs, sampling, templates } of saved.domains) {
    const domain = exporter.domain(version, id);
    domain.bootUs = bootUs;
    domain.sampling.fromJson(sampling);
    const format = FORMATS[version];
    if (format === undefined) continue;
    for (const { raw, isOptions, seenUs } of templates) {
      const times = { exportUs: seenUs, uptimeMs: Number.NaN, receivedUs: seenUs, headerRate: 0 };
      const context: Context = { exporter, domain, exporterName: exporter.name, ...times };
      sets.restoreTemplate(format, new Uint8Array(Buffer.from(raw, 'base64')), isOptions, context);
    }
  }
  for (const [key, numbers] of saved.sequences) exporter.putSequence(key, Sequence.fromJson(numbers));
  for (const [key, name] of saved.interfaces) exporter.nameInterface(key, name);
  for (const [key, name] of saved.applications) exporter.nameApplication(key, name);
  for (const [key, name] of saved.vrfs) exporter.nameVrf(key, name);
}
