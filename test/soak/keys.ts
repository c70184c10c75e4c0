import { resolve } from 'node:path';
import { floodOfKeys } from '../support/key-flood.ts';
import { TARGET } from '../support/key-stream.ts';

/**
 * `npm run test:keys [KEYS] [MAX_FLOWS]`: five million distinct keys in one minute of event time through all shipped
 * rules. Exit 1 when packets or bytes are lost, the flood is not seen, or memory leaves its bound.
 */
const KEYS = Number(process.argv[2] ?? 5_000_000);
const MAX_FLOWS = Number(process.argv[3] ?? 1 << 20);
/** What a flow takes (docs/flows.md), and everything else. */
const FLOW_BYTES = 300;
const REST_MEGABYTES = 700;

const started = performance.now();
const outcome = floodOfKeys(KEYS, { maxFlows: MAX_FLOWS, rules: [resolve(import.meta.dirname, '../../rules')] });
const { stream, packets, wireBytes, ipBytes, evicted, records, transitions } = outcome;
const alerts = transitions.filter(({ rule, key }) => rule === 'syn-flood' && key['dst.ip'] === TARGET);
const limit = REST_MEGABYTES + (MAX_FLOWS * FLOW_BYTES) / 2 ** 20;
const checks = {
  packets: packets === stream.packets,
  bytes: wireBytes === stream.wireBytes && ipBytes === stream.ipBytes,
  evictions: records === KEYS && evicted > 0,
  flood: alerts.some(({ severity }) => severity === 'critical'),
  memory: outcome.mostMegabytes < limit,
};
console.log({
  keys: KEYS,
  maxFlows: MAX_FLOWS,
  seconds: Math.round((performance.now() - started) / 100) / 10,
  packets,
  evicted,
  records,
  alerts: alerts.map(({ state, severity, time }) => `${time} ${state} ${severity}`),
  megabytes: { early: Math.round(outcome.earlyMegabytes), most: Math.round(outcome.mostMegabytes), limit },
  checks,
});
process.exitCode = Object.values(checks).every(Boolean) ? 0 : 1;
