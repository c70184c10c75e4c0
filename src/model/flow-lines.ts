import { type Piece, piece } from '../core/ascii-writer.ts';
import { formatUs } from '../core/time.ts';
import { isMapped } from './address.ts';
import {
  BIFLOW,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  NO_LAYER2,
  NO_OCTETS,
  NO_PACKETS,
  NO_PROTOCOL,
  OPENED_BY_DESTINATION,
} from './flow-batch.ts';
import type { LineBuffer } from './line-buffer.ts';
import type { Names } from './names.ts';

const TCP = 6;
/** Bits of `meta` that a row of a metered flow has, and those that make it another kind of row. */
const METERED = HAS_IP | BIFLOW;
const OTHER = HAS_OUTER | OPENED_BY_DESTINATION | NO_PACKETS | NO_OCTETS | NO_LAYER2 | NO_PROTOCOL;
/** Times from here on have no cached second. */
const LATEST_US = 253402300800e6;
/** Names and header stacks whose JSON is remembered. */
const MOST_KEPT = 4096;
/** Slots of the cache of seconds, a power of two. */
const SECONDS = 64;

const FLOW_END = piece('Z","flowEnd":"');
const SOURCE = piece('Z","sourceAddress":"');
const DESTINATION = piece('","destinationAddress":"');
const SOURCE_PORT = piece('","sourceTransportPort":');
const DESTINATION_PORT = piece(',"destinationTransportPort":');
const PROTOCOL = piece(',"protocolIdentifier":');
const PROTOCOL_ALONE = piece('","protocolIdentifier":');
const ICMP_TYPE = piece(',"icmpType":');
const ICMP_CODE = piece(',"icmpCode":');
const PACKETS = piece(',"packetDeltaCount":');
const OCTETS = piece(',"octetDeltaCount":');
const LAYER2 = piece(',"layer2OctetDeltaCount":');
const REVERSE_PACKETS = piece(',"reversePacketDeltaCount":');
const REVERSE_OCTETS = piece(',"reverseOctetDeltaCount":');
const REVERSE_LAYER2 = piece(',"reverseLayer2OctetDeltaCount":');
const TCP_BITS = piece(',"tcpControlBits":');
const REVERSE_TCP_BITS = piece(',"reverseTcpControlBits":');
const VLAN = piece(',"vlanId":');
const INGRESS = piece(',"ingressInterface":');
const TOS = piece(',"ipClassOfService":');
const END_REASON = piece(',"flowEndReason":');
const COMMUNITY = piece(',"communityId":"1:');
const SOURCE_MAC = piece(',"sourceMacAddress":"');
const DESTINATION_MAC = piece('","destinationMacAddress":"');
const DNS_NAME = piece(',"dnsQueryName":');
const DNS_TYPE = piece(',"dnsQueryType":');
const SNI = piece(',"tlsServerName":');
const END = piece('}\n');
const QUOTE = 0x22;

/**
 * The lines of metered flows, which are most of what `weir flows --json` prints: the text between two values is one piece,
 * a value is written by tables, and nothing is looked up by a name. All other rows go the way of `JsonSink`, which gives the
 * same bytes for these, too (`test/model/flow-lines.test.ts`).
 */
export class FlowLines {
  readonly #names: Names;
  readonly #out: LineBuffer;
  #file: string | undefined;
  #head: Piece = piece('{"flowStart":"');
  readonly #stacks = new Map<number, Piece>();
  readonly #texts = new Map<number, Piece>();
  readonly #seconds: Piece[] = new Array(SECONDS).fill(piece(''));
  readonly #secondNumbers = new Float64Array(SECONDS).fill(-1);

  constructor(names: Names, out: LineBuffer) {
    this.#names = names;
    this.#out = out;
  }

  /** True when row `n` is one that `line` can write. */
  takes(batch: FlowBatch, n: number): boolean {
    return (
      (batch.meta[n] & (METERED | OTHER)) === METERED &&
      batch.exporter[n] === 0 &&
      (batch.sourceAs[n] & batch.destinationAs[n] & batch.egressInterface[n]) === -1 &&
      batch.startUs[n] >= 0 &&
      batch.endUs[n] > 0 &&
      batch.endUs[n] < LATEST_US &&
      batch.sourceMacAddress[n] >= 0 === batch.destinationMacAddress[n] >= 0
    );
  }

  /** Writes row `n`; `digest` is its Community ID's. */
  line(batch: FlowBatch, n: number, file: string | undefined, digest: Int32Array): void {
    const out = this.#out;
    if (file !== this.#file) this.#begin(file);
    out.room(0);
    out.piece(this.#head);
    this.#time(batch.startUs, n);
    out.piece(FLOW_END);
    this.#time(batch.endUs, n);
    out.piece(SOURCE);
    address(out, batch.sourceAddress, 4 * n);
    out.piece(DESTINATION);
    address(out, batch.destinationAddress, 4 * n);
    ends(out, batch, n);
    counts(out, batch, n);
    attributes(out, batch, n);
    out.piece(COMMUNITY);
    out.digest(digest);
    if (batch.layers[n] !== 0) out.piece(this.#stack(batch.layers[n]));
    if (batch.sourceMacAddress[n] >= 0) macs(out, batch, n);
    if ((batch.dnsName[n] | batch.sni[n]) !== 0) this.#knowledge(batch, n);
    out.piece(END);
  }

  #begin(file: string | undefined): void {
    this.#file = file;
    this.#head = piece(file === undefined ? '{"flowStart":"' : `{"file":${JSON.stringify(file)},"flowStart":"`);
    this.#out.room(this.#head.length);
  }

  #time(times: Float64Array, n: number): void {
    const us = times[n];
    const second = Math.floor(us / 1e6);
    const slot = second % SECONDS;
    if (this.#secondNumbers[slot] !== second) {
      this.#secondNumbers[slot] = second;
      this.#seconds[slot] = piece(formatUs(second * 1e6).slice(0, -7));
    }
    this.#out.piece(this.#seconds[slot]);
    this.#out.six(Math.round(us - second * 1e6));
  }

  #stack(id: number): Piece {
    let stack = this.#stacks.get(id);
    if (stack === undefined) {
      if (this.#stacks.size === MOST_KEPT) this.#stacks.clear();
      stack = piece(`,"layers":${JSON.stringify(this.#names.layers.text(id).split(' '))}`);
      this.#stacks.set(id, stack);
    }
    this.#out.room(stack.length);
    return stack;
  }

  #knowledge(batch: FlowBatch, n: number): void {
    const out = this.#out;
    if (batch.dnsName[n] !== 0) {
      out.piece(DNS_NAME);
      out.piece(this.#text(batch.dnsName[n]));
      out.piece(DNS_TYPE);
      out.number(batch.dnsType[n]);
    }
    if (batch.sni[n] === 0) return;
    out.piece(SNI);
    out.piece(this.#text(batch.sni[n]));
  }

  #text(id: number): Piece {
    let text = this.#texts.get(id);
    if (text === undefined) {
      if (this.#texts.size === MOST_KEPT) this.#texts.clear();
      text = piece(JSON.stringify(this.#names.names.text(id)));
      this.#texts.set(id, text);
    }
    this.#out.room(text.length);
    return text;
  }
}

function address(out: LineBuffer, words: Int32Array, at: number): void {
  if (isMapped(words, at)) out.ipv4(words[at + 3]);
  else out.ipv6(words, at);
}

function ends(out: LineBuffer, batch: FlowBatch, n: number): void {
  const meta = batch.meta[n];
  if ((meta & HAS_PORTS) !== 0) {
    out.piece(SOURCE_PORT);
    out.number(batch.sourceTransportPort[n]);
    out.piece(DESTINATION_PORT);
    out.number(batch.destinationTransportPort[n]);
    out.piece(PROTOCOL);
  } else out.piece(PROTOCOL_ALONE);
  out.number(batch.protocolIdentifier[n]);
  if ((meta & HAS_ICMP) === 0) return;
  out.piece(ICMP_TYPE);
  out.number(batch.icmpTypeCode[n] >>> 8);
  out.piece(ICMP_CODE);
  out.number(batch.icmpTypeCode[n] & 255);
}

function counts(out: LineBuffer, batch: FlowBatch, n: number): void {
  out.piece(PACKETS);
  out.number(batch.packetDeltaCount[n]);
  out.piece(OCTETS);
  out.number(batch.octetDeltaCount[n]);
  out.piece(LAYER2);
  out.number(batch.layer2OctetDeltaCount[n]);
  out.piece(REVERSE_PACKETS);
  out.number(batch.reversePacketDeltaCount[n]);
  out.piece(REVERSE_OCTETS);
  out.number(batch.reverseOctetDeltaCount[n]);
  out.piece(REVERSE_LAYER2);
  out.number(batch.reverseLayer2OctetDeltaCount[n]);
}

function attributes(out: LineBuffer, batch: FlowBatch, n: number): void {
  if (batch.protocolIdentifier[n] === TCP) {
    out.piece(TCP_BITS);
    out.number(batch.tcpControlBits[n]);
    out.piece(REVERSE_TCP_BITS);
    out.number(batch.reverseTcpControlBits[n]);
  }
  if (batch.vlanId[n] >= 0) {
    out.piece(VLAN);
    out.number(batch.vlanId[n]);
  }
  if (batch.ingressInterface[n] >= 0) {
    out.piece(INGRESS);
    out.number(batch.ingressInterface[n]);
  }
  out.piece(TOS);
  out.number(batch.ipClassOfService[n]);
  if (batch.flowEndReason[n] === 0) return;
  out.piece(END_REASON);
  out.number(batch.flowEndReason[n]);
}

function macs(out: LineBuffer, batch: FlowBatch, n: number): void {
  out.piece(SOURCE_MAC);
  out.mac(batch.sourceMacAddress[n]);
  out.piece(DESTINATION_MAC);
  out.mac(batch.destinationMacAddress[n]);
  out.byte(QUOTE);
}
