import { parseAddress } from '../../src/model/address.ts';
import { createFlowBatch, FIRST, type FlowBatch, HAS_IP, HAS_PORTS, LAST } from '../../src/model/flow-batch.ts';
import type { Names } from '../../src/model/names.ts';

/** A record as an exporter of one direction makes it. */
export interface OneWay {
  exporter?: string;
  from: string;
  to: string;
  /** Default TCP. */
  protocol?: number;
  flags?: number;
  startMs: number;
  endMs?: number;
  octets?: number;
  inIf?: number;
  outIf?: number;
}

function end(text: string, words: Int32Array, row: number): number {
  const [address, port] = text.split(' ');
  const own = new Int32Array(4);
  parseAddress(address, own);
  words.set(own, 4 * row);
  return Number(port ?? 0);
}

/** A batch of records; ends are `address port`. */
export function rowsOf(records: readonly OneWay[], names: Names): FlowBatch {
  const batch = createFlowBatch(Math.max(1, records.length));
  records.forEach((record, row) => {
    batch.clearRow(row);
    batch.meta[row] = HAS_IP | HAS_PORTS | FIRST | LAST;
    batch.sourceTransportPort[row] = end(record.from, batch.sourceAddress, row);
    batch.destinationTransportPort[row] = end(record.to, batch.destinationAddress, row);
    batch.protocolIdentifier[row] = record.protocol ?? 6;
    batch.tcpControlBits[row] = record.flags ?? 0;
    batch.startUs[row] = record.startMs * 1000;
    batch.endUs[row] = (record.endMs ?? record.startMs) * 1000;
    batch.packetDeltaCount[row] = 1;
    batch.octetDeltaCount[row] = record.octets ?? 100;
    batch.ingressInterface[row] = record.inIf ?? -1;
    batch.egressInterface[row] = record.outIf ?? -1;
    batch.exporter[row] = names.exporters.intern(record.exporter ?? '192.0.2.254');
  });
  batch.length = records.length;
  return batch;
}
