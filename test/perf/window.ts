import { Metrics } from '../../src/core/metrics.ts';
import { loadPlans } from '../../src/forecast/forecast.ts';
import { DEFAULT_HOME, formatAddress, type Prefix, parsePrefix } from '../../src/model/address.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import type { Predicate, RulePlan, RuleSet } from '../../src/model/plan.ts';
import { loadRules } from '../../src/rule/rule.ts';
import { WindowStage } from '../../src/window/window.ts';
import { type Step, slicesOf } from '../support/slices.ts';
import { holds, keyOf } from '../window/naive.ts';
import { rowsOf, type Slice } from '../window/rows.ts';

/**
 * What windows cost a slice: all shipped rules over the slices of one capture, held in memory, several rounds; CPU time, for the
 * machine may be shared.
 * `node test/perf/window.ts CAPTURE [ROUNDS [RULE...]]`. Prints one JSON line; with `each` as rule, one line a rule; with
 * `shapes`, what a hundred more rules of one shape cost.
 */
const NAIVE_SLICES = 20_000;

interface Round {
  /** CPU time of the process: the stage, the compiler and the collector. */
  nanosecondsASlice: number;
  /** Of which on the stage's own thread. */
  ownNanoseconds: number;
  closeShare: number;
  keys: number;
  windows: number;
}

function round(ruleSet: RuleSet, steps: readonly Step[], names: Names): Round {
  const answer = { nanosecondsASlice: 0, ownNanoseconds: 0, closeShare: 0, keys: 0, windows: 0 };
  const stage = new WindowStage(ruleSet, {
    names,
    metrics: new Metrics(),
    onResults: (results) => {
      answer.windows++;
      answer.keys += results.length;
      return false;
    },
    watched: () => [],
  });
  let slices = 0;
  let closing = 0;
  const cpu = process.cpuUsage();
  const own = process.threadCpuUsage();
  const start = performance.now();
  for (const { batch, watermarkUs } of steps) {
    stage.add(batch);
    slices += batch.length;
    const before = performance.now();
    stage.advance(watermarkUs);
    closing += performance.now() - before;
  }
  const before = performance.now();
  stage.advance(Number.POSITIVE_INFINITY);
  const ms = performance.now() - start;
  closing += performance.now() - before;
  const aSlice = ({ user, system }: NodeJS.CpuUsage): number => (1e3 * (user + system)) / slices;
  return {
    ...answer,
    nanosecondsASlice: aSlice(process.cpuUsage(cpu)),
    ownNanoseconds: aSlice(process.threadCpuUsage(own)),
    closeShare: closing / ms,
  };
}

/** How a first version would do it: closures, keys of text, maps and sets, a sum and a set of peers a window and key. */
function naiveNanoseconds(ruleSet: RuleSet, steps: readonly Step[]): number {
  const windows = new Map<string, { sum: number; peers: Set<unknown> }>();
  const cpu = process.cpuUsage();
  let slices = 0;
  for (const { batch } of steps) {
    if (slices >= NAIVE_SLICES) break;
    for (let row = 0; row < batch.length; row++) {
      slices++;
      for (const each of rowsOf(sliceOf(batch, row))) {
        for (const rule of ruleSet.rules) {
          const key = holds(rule.match, each) ? keyOf(rule.by, each) : null;
          if (key === null) continue;
          const { sizeUs, slideUs } = rule.window;
          const last = Math.floor(each.startUs / slideUs) * slideUs + slideUs;
          for (let endUs = last; endUs - sizeUs <= each.startUs; endUs += slideUs) {
            const id = `${rule.id} ${endUs} ${key}`;
            const known = windows.get(id) ?? { sum: 0, peers: new Set() };
            known.sum += each.packets;
            known.peers.add(each.fields['src.ip']);
            windows.set(id, known);
          }
        }
      }
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  return (1e3 * (user + system)) / slices;
}

function sliceOf(batch: FlowBatch, row: number): Slice {
  return {
    startUs: batch.startUs[row],
    endUs: batch.endUs[row],
    src: formatAddress(batch.sourceAddress, 4 * row),
    dst: formatAddress(batch.destinationAddress, 4 * row),
    sport: batch.sourceTransportPort[row],
    dport: batch.destinationTransportPort[row],
    proto: batch.protocolIdentifier[row],
    packets: batch.packetDeltaCount[row],
    bytes: batch.octetDeltaCount[row],
    reversePackets: batch.reversePacketDeltaCount[row],
    reverseBytes: batch.reverseOctetDeltaCount[row],
    flags: batch.tcpControlBits[row],
    reverseFlags: batch.reverseTcpControlBits[row],
    meta: batch.meta[row],
    sampling: batch.samplingInterval[row],
    dnsName: '',
    exporter: '',
    inIf: batch.ingressInterface[row],
    outIf: batch.egressInterface[row],
  };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

function report(
  name: string,
  ruleSet: RuleSet,
  steps: readonly Step[],
  names: Names,
  rounds: number,
  withNaive = false,
): void {
  const runs = Array.from({ length: rounds }, () => round(ruleSet, steps, names));
  const line = {
    rules: name,
    slices: steps.reduce((sum, { batch }) => sum + batch.length, 0),
    nanosecondsASlice: Math.round(median(runs.map((run) => run.nanosecondsASlice))),
    ownNanoseconds: Math.round(median(runs.map((run) => run.ownNanoseconds))),
    best: Math.round(Math.min(...runs.map((run) => run.nanosecondsASlice))),
    closeShare: Number(median(runs.map((run) => run.closeShare)).toFixed(2)),
    windows: runs[0].windows,
    keys: runs[0].keys,
    ...(withNaive ? { naive: Math.round(naiveNanoseconds(ruleSet, steps)) } : {}),
    rssMB: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
  console.log(JSON.stringify(line));
}

/** A hundred more rules like `syn-flood`, each in one way different from it. */
const SHAPES: Readonly<Record<string, (rule: RulePlan, i: number) => RulePlan>> = {
  thresholds: (rule) => rule,
  ports: (rule, i) => narrowed(rule, { op: 'compare', field: 'dst.port', cmp: '==', value: 1000 + i }),
  nets: (rule, i) => narrowed(rule, { op: 'net', field: 'dst.ip', nets: [parsePrefix(`10.${i}.0.0/16`) as Prefix] }),
};

function narrowed(rule: RulePlan, condition: Predicate): RulePlan {
  return { ...rule, match: { op: 'and', args: [rule.match, condition] } };
}

/** What a hundred more rules of one shape cost, as a share of what the shipped ones cost: in turn, for the machine may be shared. */
function reportShapes(ruleSet: RuleSet, steps: readonly Step[], names: Names, rounds: number): void {
  const pattern = ruleSet.rules.find(({ id }) => id === 'syn-flood') as RulePlan;
  for (const [shape, vary] of Object.entries(SHAPES)) {
    const more = Array.from({ length: 100 }, (_, i) => {
      const id = `${shape}-${i}`;
      return { ...vary(pattern, i), id, fingerprint: id };
    });
    const pairs = Array.from({ length: rounds }, () => {
      const alone = round(ruleSet, steps, names).nanosecondsASlice;
      const all = round({ ...ruleSet, rules: [...ruleSet.rules, ...more] }, steps, names).nanosecondsASlice;
      return { alone, all };
    });
    const ratio = Number(median(pairs.map(({ alone, all }) => all / alone)).toFixed(2));
    console.log(JSON.stringify({ hundredMore: shape, ratio, pairs }));
  }
}

const [path, rounds = '3', ...only] = process.argv.slice(2);
const names = new Names();
const home = DEFAULT_HOME.map(parsePrefix) as Prefix[];
const { rules } = loadRules(['rules'], { home });
const steps = await slicesOf(path, names);
const all = { home, rules: [...rules.rules, ...loadPlans(home)] };
if (only[0] === 'each')
  for (const rule of all.rules) report(rule.id, { home, rules: [rule] }, steps, names, Number(rounds));
else if (only[0] === 'shapes') reportShapes(all, steps, names, Number(rounds));
else {
  const chosen = only.length > 0 ? all.rules.filter(({ id }) => only.includes(id)) : all.rules;
  report(`${chosen.length} rules`, { home, rules: chosen }, steps, names, Number(rounds), true);
}
