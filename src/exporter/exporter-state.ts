import { Sampling } from './sampling.ts';
import { Sequence } from './sequence.ts';
import type { ExporterRooms } from './shared-room.ts';
import type { Template } from './template.ts';

/** What is kept of one observation domain (v9: source id; sFlow: sub-agent). */
export class DomainState {
  readonly id: number;
  readonly version: number;
  readonly templates = new Map<number, Template>();
  readonly sampling: Sampling;
  /** When the exporter started, microseconds, where its options said so; else 0. */
  bootUs = 0;

  constructor(version: number, id: number, rooms: ExporterRooms) {
    this.version = version;
    this.sampling = new Sampling(rooms.samplers);
    this.id = id;
  }
}

/** Templates of all exporters. */
export interface TemplateTotal {
  value: number;
}

const TWO_32 = 2 ** 32;

/** What is kept of one exporter, which is known by its address. */
export class ExporterState {
  readonly key: string;
  /** N of 1:N from the configuration; 0 lets the exporter say it. */
  readonly overrideRate: number;
  readonly domains = new Map<number, DomainState>();
  /** Templates in the order of their last announcement. */
  readonly announced = new Map<Template, DomainState>();
  readonly sequences = new Map<number, Sequence>();
  /** Texts that options records gave: interfaces by ifIndex, applications by id in hex, VRFs by id. */
  readonly interfaces = new Map<number, string>();
  readonly applications = new Map<string, string>();
  readonly vrfs = new Map<number, string>();
  /** Who sent its latest datagram: sFlow names its agent itself. */
  sender = '';
  /** Id in `Names.exporters`. */
  name = 0;
  lastSeenUs = 0;
  /** Protocol of the latest datagram: 1, 5, 7, 9, 10, or 105 for sFlow v5. */
  version = 0;
  datagrams = 0;
  records = 0;
  lost = 0;
  /** Rows whose sampling interval nobody knows, and whether there were any since the exporter told of its sampling. */
  unknownRate = 0;
  samplingUnknown = false;
  lastUptimeMs = -1;
  readonly #total: TemplateTotal;
  readonly #rooms: ExporterRooms;

  constructor(key: string, overrideRate: number, total: TemplateTotal, rooms: ExporterRooms) {
    this.#total = total;
    this.#rooms = rooms;
    this.key = key;
    this.overrideRate = overrideRate;
  }

  domain(version: number, id: number): DomainState {
    const key = version * TWO_32 + id;
    const known = this.domains.get(key);
    if (known !== undefined) return known;
    const domain = new DomainState(version, id, this.#rooms);
    const left = this.#rooms.domains.put(this.domains, key, domain);
    if (left !== undefined) {
      for (const template of left[1].templates.values()) this.forget(template);
      left[1].sampling.leave();
    }
    return domain;
  }

  remember(template: Template, domain: DomainState): void {
    if (!this.announced.delete(template)) this.#total.value++;
    this.announced.set(template, domain);
  }

  forget(template: Template): void {
    if (this.announced.delete(template)) this.#total.value--;
  }

  /** It leaves, and its templates with it. */
  leave(): void {
    for (const template of this.announced.keys()) this.forget(template);
    for (const { sampling } of this.domains.values()) sampling.leave();
    const { domains, sequences, names } = this.#rooms;
    domains.free(this.domains);
    sequences.free(this.sequences);
    for (const texts of [this.interfaces, this.applications, this.vrfs]) names.free(texts);
  }

  /** @param port where the datagram came from: exporters on one address count for themselves */
  sequence(port: number, domain: DomainState): Sequence {
    const key = (domain.version * 65_536 + port) * TWO_32 + domain.id;
    const known = this.sequences.get(key);
    if (known !== undefined) return known;
    const sequence = new Sequence();
    this.putSequence(key, sequence);
    return sequence;
  }

  putSequence(key: number, sequence: Sequence): void {
    this.#rooms.sequences.put(this.sequences, key, sequence);
  }

  resetSequences(): void {
    for (const sequence of this.sequences.values()) sequence.reset();
  }

  nameInterface(index: number, name: string): void {
    this.#rooms.names.put(this.interfaces, index, name);
  }

  nameApplication(id: string, name: string): void {
    this.#rooms.names.put(this.applications, id, name);
  }

  nameVrf(id: number, name: string): void {
    this.#rooms.names.put(this.vrfs, id, name);
  }
}
