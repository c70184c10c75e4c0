import type { Prefix } from '../model/address.ts';
import type { AggregateMeasure, KeyPart, Predicate, RulePlan } from '../model/plan.ts';

/** Five minutes. */
export const LOAD_STEP_US = 300e6;
const TRUE: Predicate = { op: 'true' };

/**
 * What weir measures all the time, without being asked: recording rules, run by the same window stage as any rule.
 * Their windows become series: `total.bps`, `inbound.bps`, `outbound.bps`, `interface/core/3.bps`, `service/6/443.bps`.
 */
export function loadPlans(home: readonly Prefix[], stepUs = LOAD_STEP_US): RulePlan[] {
  const to: Predicate = { op: 'net', field: 'dst.ip', nets: [...home] };
  const from: Predicate = { op: 'net', field: 'src.ip', nets: [...home] };
  const not = (arg: Predicate): Predicate => ({ op: 'not', arg });
  const recording = recordingOf(stepUs);
  const both = [rate('bps', 'bits', 'bps'), rate('pps', 'packets', 'pps')];
  return [
    recording('total', TRUE, [], both),
    recording('inbound', { op: 'and', args: [to, not(from)] }, [], both),
    recording('outbound', { op: 'and', args: [from, not(to)] }, [], both),
    recording('interface', TRUE, [key('exporter'), key('in_if')], [rate('bps', 'bits', 'bps')]),
    recording('service', { op: 'is', field: 'initiator' }, [key('proto'), key('dst.port')], service()),
  ];
}

const key = (field: string): KeyPart => ({ field, prefix: null });

/** Both directions of a service, seen from its client's row. */
function service(): AggregateMeasure[] {
  return [rate('to', 'bits', 'bps'), rate('from', 'reverse.bits', 'bps')];
}

function rate(name: string, summand: string, unit: AggregateMeasure['unit']): AggregateMeasure {
  return { kind: 'aggregate', name, fn: 'rate', summand, of: [], where: TRUE, params: {}, unit };
}

function recordingOf(stepUs: number) {
  return (id: string, match: Predicate, by: KeyPart[], measures: AggregateMeasure[]): RulePlan => ({
    id,
    title: `load: ${id}`,
    file: 'weir',
    line: 1,
    tags: [],
    annotations: {},
    match,
    matchText: '',
    except: [],
    by,
    window: { kind: 'tumbling', sizeUs: stepUs, slideUs: stepUs },
    latenessUs: 0,
    measures,
    levels: [],
    clear: null,
    keepFiringForUs: 0,
    noData: 'keep',
    minSamples: 0,
    thresholds: {},
    follow: null,
    suppresses: [],
    maxKeys: 1000,
    evidence: [],
    measureAgainst: '',
    // Windows of another step are not those of the saved state.
    fingerprint: stepUs === LOAD_STEP_US ? id : `${id} ${stepUs}`,
  });
}
