import type { Counter, Metrics } from '../core/metrics.ts';

/** Everything that a datagram, a set or a record may come to. */
export class ExporterCounters {
  readonly datagrams: Counter;
  readonly records: Counter;
  readonly options: Counter;
  readonly lost: Counter;
  readonly late: Counter;
  readonly restarts: Counter;
  readonly notOurs: Counter;
  readonly truncated: Counter;
  readonly badTemplate: Counter;
  readonly emptyTemplate: Counter;
  readonly heldSets: Counter;
  readonly heldFull: Counter;
  readonly heldExpired: Counter;
  readonly templatesFull: Counter;
  readonly templatesExpired: Counter;
  readonly exportersFull: Counter;
  readonly unknownRate: Counter;
  readonly badTime: Counter;
  readonly unknownSample: Counter;

  constructor(metrics: Metrics) {
    const counter = (name: string, help: string): Counter => metrics.counter(`weir_exporter_${name}`, help);
    this.datagrams = counter('datagrams_total', 'Datagrams of exporters that were decoded.');
    this.records = counter('records_total', 'Flow records and samples decoded.');
    this.options = counter('options_records_total', 'Options records decoded.');
    this.lost = counter('lost_total', 'Records or datagrams missing by their sequence numbers.');
    this.late = counter('late_datagrams_total', 'Datagrams that came after later ones.');
    this.restarts = counter('restarts_total', 'Exporters whose uptime went back.');
    const bad = (cause: string, help: string): Counter => counter(`damaged_total{cause="${cause}"}`, help);
    this.notOurs = bad('unknown_version', 'Datagrams that are of no known format.');
    this.truncated = bad('truncated', 'Sets or records that end before they should.');
    this.badTemplate = bad('template', 'Template records that do not fit their set.');
    this.emptyTemplate = bad('empty_template', 'Records of templates without a length.');
    this.unknownSample = bad('unknown_sample', 'Samples of formats that nobody published.');
    this.heldSets = counter('held_sets_total', 'Sets kept until their template comes.');
    const dropped = (cause: string, help: string): Counter => counter(`dropped_total{cause="${cause}"}`, help);
    this.heldFull = dropped('held_full', 'Held sets that left because too many wait.');
    this.heldExpired = dropped('held_expired', 'Held sets whose template never came.');
    this.templatesFull = dropped('templates_full', 'Templates that left because their exporter has too many.');
    this.templatesExpired = dropped('templates_expired', 'Templates that were not announced again in time.');
    this.exportersFull = dropped('exporters_full', 'Exporters forgotten because there are too many.');
    this.badTime = dropped('impossible_time', 'Records whose times cannot be (quarantined).');
    this.unknownRate = counter('unscaled_records_total', 'Records whose sampling interval nobody knows.');
  }
}
