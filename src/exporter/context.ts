import type { DomainState, ExporterState } from './exporter-state.ts';

/** What the header of a datagram says of all its records. */
export interface Context {
  exporter: ExporterState;
  domain: DomainState;
  /** Id of the exporter's text in `Names.exporters`. */
  exporterName: number;
  /** The exporter's clock when it sent, microseconds. */
  exportUs: number;
  /** Milliseconds since the exporter started, at `exportUs`; NaN where the header does not say. */
  uptimeMs: number;
  /** When the datagram came, microseconds; the exporter's own clock where nobody knows. */
  receivedUs: number;
  /** N of 1:N from the header, 0 without. */
  headerRate: number;
}
