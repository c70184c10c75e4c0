import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import type { CollectorOptions } from './collector-options.ts';

/**
 * Which records count, so that a flow that passes two routers is not counted twice. A record that does not count is
 * taken out of the batch.
 *
 * - `ingress-only`: records taken where the packets came in: an exporter that meters both ways exports a flow at its
 *   ingress (flowDirection 0, or an ingress interface) and again at its egress.
 * - `external-if`: records that came in or go out at an external interface (`EXPORTER IFINDEX`).
 * - `by-exporter-priority`: of the exporters that saw a flow within a minute the preferred one counts.
 */
export class Observation implements Stateful {
  readonly #counts: (batch: FlowBatch, row: number) => boolean;
  /** Who saw a flow, for `by-exporter-priority`. */
  readonly #seen: Map<string, Seen>;

  private constructor(counts: (batch: FlowBatch, row: number) => boolean, seen = new Map<string, Seen>()) {
    this.#counts = counts;
    this.#seen = seen;
  }

  static of(options: CollectorOptions, names: Names): Observation | null {
    const { observe, external, priority } = options;
    if (observe === 'ingress-only') return new Observation((batch, row) => batch.ingressInterface[row] > 0);
    if (observe === 'external-if') return new Observation(externalOnly(external, names));
    if (observe !== 'by-exporter-priority') return null;
    const seen = new Map<string, Seen>();
    return new Observation(preferred(priority, names, seen), seen);
  }

  select(batch: FlowBatch): void {
    let kept = 0;
    for (let row = 0; row < batch.length; row++) {
      if (!this.#counts(batch, row)) continue;
      if (kept !== row) batch.copyRow(kept, batch, row);
      kept++;
    }
    batch.length = kept;
  }

  save(out: StateWriter): void {
    out.json([...this.#seen]);
  }

  restore(state: StateReader): void {
    for (const [flow, seen] of state.json<[string, Seen][]>()) this.#seen.set(flow, seen);
  }
}

function externalOnly(external: readonly string[], names: Names): (batch: FlowBatch, row: number) => boolean {
  const ports = new Set(external);
  return (batch, row) => {
    const exporter = names.exporters.text(batch.exporter[row]);
    return (
      ports.has(`${exporter} ${batch.ingressInterface[row]}`) || ports.has(`${exporter} ${batch.egressInterface[row]}`)
    );
  };
}

/** Flows whose exporter is remembered. */
const MOST_FLOWS = 1 << 17;
const MINUTE_US = 60e6;

interface Seen {
  rank: number;
  timeUs: number;
}

/** An exporter that is not in the list comes after those that are. */
function preferred(
  priority: readonly string[],
  names: Names,
  flows: Map<string, Seen>,
): (batch: FlowBatch, row: number) => boolean {
  return (batch, row) => {
    const at = priority.indexOf(names.exporters.text(batch.exporter[row]));
    const rank = at < 0 ? priority.length + batch.exporter[row] : at;
    const key = keyOf(batch, row);
    const seen = flows.get(key);
    const timeUs = batch.endUs[row];
    if (seen !== undefined && rank > seen.rank && timeUs - seen.timeUs <= MINUTE_US) return false;
    flows.delete(key);
    if (flows.size === MOST_FLOWS) flows.delete(flows.keys().next().value!);
    flows.set(key, { rank, timeUs });
    return true;
  };
}

function keyOf(batch: FlowBatch, row: number): string {
  const source = batch.sourceAddress.subarray(4 * row, 4 * row + 4).join();
  const destination = batch.destinationAddress.subarray(4 * row, 4 * row + 4).join();
  const ports = `${batch.sourceTransportPort[row]} ${batch.destinationTransportPort[row]}`;
  return `${batch.protocolIdentifier[row]} ${source} ${destination} ${ports}`;
}
