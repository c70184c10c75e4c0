import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Engine } from '../../src/engine.ts';
import type { Transition } from '../../src/model/alert.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { loadRules } from '../../src/rule/rule.ts';
import { distinctKeys, type KeyStream } from './key-stream.ts';

export interface FloodOutcome {
  stream: KeyStream;
  /** Sums of the flow records. */
  records: number;
  packets: number;
  wireBytes: number;
  ipBytes: number;
  evicted: number;
  transitions: Transition[];
  /** Resident memory after the first tenth, and at most after that, megabytes. */
  earlyMegabytes: number;
  mostMegabytes: number;
}

const SPAN_US = 60e6;

/** `keys` distinct keys in a minute of event time through decoder, meter, rules and alerts. */
export function floodOfKeys(keys: number, options: { maxFlows?: number; rules: string[] }): FloodOutcome {
  const stream = distinctKeys(keys, SPAN_US);
  const outcome: FloodOutcome = {
    stream,
    records: 0,
    packets: 0,
    wireBytes: 0,
    ipBytes: 0,
    evicted: 0,
    transitions: [],
    earlyMegabytes: 0,
    mostMegabytes: 0,
  };
  const deps = { names: new Names(), metrics: new Metrics() };
  const engine = new Engine(
    { rules: loadRules(options.rules).rules, maxFlows: options.maxFlows },
    { transition: (transition) => outcome.transitions.push(transition), records: (batch) => add(batch, outcome) },
    deps,
  );
  const decoder = new Decoder({ names: deps.names }, deps);
  const rows = new PacketRows(256);
  for (const batch of stream.batches) {
    for (let at = 0; at < batch.length; ) {
      at += decoder.decode(batch, at, batch.length, rows);
      engine.rows(rows);
    }
    noteMemory(outcome, engine.packets / keys);
  }
  engine.end();
  outcome.evicted = deps.metrics.snapshot()['weir_meter_flows_evicted_total{cause="table_full"}'] ?? 0;
  return outcome;
}

function add(batch: FlowBatch, outcome: FloodOutcome): void {
  outcome.records += batch.length;
  for (let n = 0; n < batch.length; n++) {
    outcome.packets += batch.packetDeltaCount[n] + batch.reversePacketDeltaCount[n];
    outcome.wireBytes += batch.layer2OctetDeltaCount[n] + batch.reverseLayer2OctetDeltaCount[n];
    outcome.ipBytes += batch.octetDeltaCount[n] + batch.reverseOctetDeltaCount[n];
  }
}

function noteMemory(outcome: FloodOutcome, share: number): void {
  const megabytes = process.memoryUsage.rss() / 2 ** 20;
  if (share <= 0.1) outcome.earlyMegabytes = Math.max(outcome.earlyMegabytes, megabytes);
  outcome.mostMegabytes = Math.max(outcome.mostMegabytes, megabytes);
}
