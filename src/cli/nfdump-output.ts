import type { LineWriter } from '../core/output.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { FlowObject } from '../model/flow-fields.ts';
import { FlowFormatter } from '../model/flow-json.ts';
import type { Names } from '../model/names.ts';
import type { FlowOutput } from './flow-output.ts';

/** The columns that nfdump 1.7 prints with `-o csv`. */
const COLUMNS =
  'ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,dvln,' +
  'ismc,odmc,idmc,osmc,mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,tr';
/** From `mpls1` to `tr`, for flows that no exporter sent. */
const NO_LABELS = `${'0-0-0,'.repeat(10)}0.000,0.000,0.000,0.0.0.0,0/0,0`;
const NO_MAC = '00:00:00:00:00:00';
const PROTOCOLS = new Map([
  [1, 'ICMP'],
  [2, 'IGMP'],
  [6, 'TCP'],
  [17, 'UDP'],
  [41, 'IPv6'],
  [47, 'GRE'],
  [50, 'ESP'],
  [51, 'AH'],
  [58, 'ICMP6'],
  [103, 'PIM'],
  [132, 'SCTP'],
]);
const FLAGS = 'CEUAPRSF';

/**
 * Flow records in the CSV of `nfdump -o csv`, for tools that read it. Flows without IP are left out: nfdump has none.
 * The answering direction is in `opkt` and `obyt`.
 */
export class NfdumpOutput implements FlowOutput {
  readonly #out: LineWriter;
  readonly #format: FlowFormatter;

  constructor(out: LineWriter, names: Names) {
    this.#out = out;
    this.#format = new FlowFormatter(names);
    out.line(COLUMNS);
  }

  write(batch: FlowBatch): void {
    for (let n = 0; n < batch.length; n++) {
      const flow = this.#format.object(batch, n);
      if (flow.protocolIdentifier !== undefined) this.#out.line(line(flow, batch.endUs[n] - batch.startUs[n]));
    }
  }

  end(): void {}
}

function line(flow: FlowObject, durationUs: number): string {
  const protocol = flow.protocolIdentifier!;
  const nothing = flow.sourceAddress!.includes(':') ? '::' : '0.0.0.0';
  return [
    time(flow.flowStart),
    time(flow.flowEnd),
    (durationUs / 1e6).toFixed(3),
    flow.sourceAddress,
    flow.destinationAddress,
    flow.sourceTransportPort ?? 0,
    flow.destinationTransportPort ?? icmp(flow),
    PROTOCOLS.get(protocol) ?? protocol,
    flags((flow.tcpControlBits ?? 0) & 0xff),
    0,
    flow.ipClassOfService ?? 0,
    flow.packetDeltaCount ?? 0,
    flow.octetDeltaCount ?? 0,
    flow.reversePacketDeltaCount ?? 0,
    flow.reverseOctetDeltaCount ?? 0,
    flow.ingressInterface ?? 0,
    flow.egressInterface ?? 0,
    flow.bgpSourceAsNumber ?? 0,
    flow.bgpDestinationAsNumber ?? 0,
    '0,0,0,0',
    nothing,
    nothing,
    flow.vlanId ?? 0,
    0,
    flow.sourceMacAddress ?? NO_MAC,
    NO_MAC,
    flow.destinationMacAddress ?? NO_MAC,
    NO_MAC,
    NO_LABELS,
    time(flow.flowEnd),
  ].join(',');
}

/** `2017-09-10 17:52:28.969`, as nfdump has it. */
const time = (iso?: string): string => (iso ?? '1970-01-01T00:00:00.000').slice(0, 23).replace('T', ' ');
/** nfdump's destination port of ICMP: type and code. */
const icmp = ({ icmpType, icmpCode }: FlowObject): string | number =>
  icmpType === undefined ? 0 : `${icmpType}.${icmpCode}`;

function flags(bits: number): string {
  return [...FLAGS].map((letter, i) => ((bits & (0x80 >> i)) === 0 ? '.' : letter)).join('');
}
