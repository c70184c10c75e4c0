import type { Context } from './context.ts';
import type { ExporterCounters } from './counters.ts';
import type { Exporters } from './exporters.ts';

/** An uptime that is this much less than the last one means a new start, not a datagram that came late. */
const RESTART_MS = 60_000;

/** The datagram at hand: its bytes, who sent it, and what its header turned out to say. */
export class DatagramReader {
  data: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Bytes `from` to `to` of `data`. */
  from = 0;
  to = 0;
  address = '';
  port = 0;
  /** NaN where nobody knows when it came: the exporter's clock stands in. */
  receivedUs = Number.NaN;
  readonly #exporters: Exporters;
  readonly #counters: ExporterCounters;
  #context: Context | null = null;
  #optionsBefore = 0;

  constructor(exporters: Exporters, counters: ExporterCounters) {
    this.#exporters = exporters;
    this.#counters = counters;
  }

  /**
   * What the header says. Only a header that was checked comes here: exporters are made by it.
   * @param uptimeMs NaN where the version has none
   * @param agent the exporter where the datagram names it itself (sFlow)
   */
  begin(version: number, domainId: number, exportUs: number, uptimeMs: number, agent = this.address): Context {
    const receivedUs = Number.isNaN(this.receivedUs) ? exportUs : this.receivedUs;
    const exporter = this.#exporters.get(agent, receivedUs);
    exporter.datagrams++;
    exporter.version = version;
    exporter.sender = this.address;
    this.#counters.datagrams.value++;
    this.#optionsBefore = this.#counters.options.value;
    if (!Number.isNaN(uptimeMs)) {
      if (uptimeMs < exporter.lastUptimeMs - RESTART_MS) {
        exporter.resetSequences();
        this.#counters.restarts.value++;
      }
      exporter.lastUptimeMs = uptimeMs;
    }
    const domain = exporter.domain(version, domainId);
    const { name } = exporter;
    this.#context = { exporter, domain, exporterName: name, exportUs, uptimeMs, receivedUs, headerRate: 0 };
    return this.#context;
  }

  /** Compares the header's sequence number with what came before. @see Sequence.take */
  sequence(number: number, units: number, other: number): void {
    if (this.#context === null) return;
    const { exporter, domain } = this.#context;
    const sequence = exporter.sequence(this.port, domain);
    const late = sequence.late;
    const gap = sequence.take(number, units, other, this.#counters.options.value - this.#optionsBefore);
    exporter.lost += gap;
    this.#counters.lost.value += gap;
    this.#counters.late.value += sequence.late - late;
  }

  truncated(): void {
    this.#counters.truncated.value++;
  }
}
