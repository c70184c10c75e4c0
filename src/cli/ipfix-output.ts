import type { LineWriter } from '../core/output.ts';
import { isMapped } from '../model/address.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { FieldSink, FlowField } from '../model/flow-fields.ts';
import { FlowFormatter } from '../model/flow-json.ts';
import type { Names } from '../model/names.ts';
import type { FlowOutput } from './flow-output.ts';
import { IPFIX_FIELDS, type IpfixField } from './ipfix-fields.ts';

const VERSION = 10;
const MESSAGE_HEADER = 16;
const SET_HEADER = 4;
const TEMPLATE_SET = 2;
const FIRST_TEMPLATE = 256;
const ENTERPRISE = 0x8000;
/** Reverse elements belong to this enterprise number (RFC 5103, section 6.1). */
const REVERSE_PEN = 29305;
/** A message is closed once it is this long; a template and a record more fit into the 65,535 that it may have. */
const MESSAGE_BYTES = 16 << 10;
const ROOM_BYTES = 32 << 10;
/** Seconds from 1900, where NTP counts from, to 1970. */
const NTP_SECONDS = 2_208_988_800;

/** One record's bytes, and which elements they are. */
class RecordSink implements FieldSink {
  readonly bytes = Buffer.alloc(1024);
  length = 0;
  /** Three numbers an element: id, bytes, enterprise number. */
  elements: number[] = [];
  #v6 = false;

  begin(): void {
    this.length = 0;
    this.elements = [];
    this.#v6 = false;
  }

  number(field: FlowField, value: number): void {
    const known = IPFIX_FIELDS[field];
    if (known === undefined) return;
    this.#element(known, known.id6 !== undefined && this.#v6 ? known.id6 : known.id, known.bytes);
    const most = 2 ** (8 * known.bytes) - 1;
    this.#unsigned(Math.min(most, Math.max(0, value)), known.bytes);
  }

  /** dateTimeMicroseconds (RFC 7011, section 6.1.9): seconds since 1900, and a binary fraction of 32 bits. */
  time(field: FlowField, us: number): void {
    const known = IPFIX_FIELDS[field];
    if (known === undefined) return;
    this.#element(known, known.id, known.bytes);
    const seconds = Math.floor(us / 1e6);
    this.#unsigned((seconds + NTP_SECONDS) % 2 ** 32, 4);
    this.#unsigned(Math.ceil(((us - seconds * 1e6) / 1e6) * 2 ** 32), 4);
  }

  address(field: FlowField, words: Int32Array, at: number): void {
    const known = IPFIX_FIELDS[field];
    if (known === undefined) return;
    this.#v6 = !isMapped(words, at);
    const first = this.#v6 ? 0 : 3;
    this.#element(known, this.#v6 ? known.id6! : known.id, 4 * (4 - first));
    for (let word = first; word < 4; word++) this.length = this.bytes.writeInt32BE(words[at + word], this.length);
  }

  mac(field: FlowField, mac: number): void {
    const known = IPFIX_FIELDS[field];
    if (known === undefined) return;
    this.#element(known, known.id, known.bytes);
    this.#unsigned(mac, known.bytes);
  }

  text(): void {}
  communityId(): void {}
  unknown(): void {}
  layers(): void {}

  #element(field: IpfixField, id: number, bytes: number): void {
    this.elements.push(id, bytes, field.reverse ? REVERSE_PEN : 0);
  }

  #unsigned(value: number, bytes: number): void {
    let at = this.length;
    if (bytes > 6) {
      this.bytes.writeUInt16BE(0, at);
      at += 2;
    }
    this.length = this.bytes.writeUIntBE(Math.min(value, 2 ** 48 - 1), at, Math.min(bytes, 6));
  }
}

/**
 * Flow records as an IPFIX file (RFC 5655): messages one behind the other, a biflow a record (RFC 5103). Records with
 * the same elements share a template, which stands before the first of them.
 */
export class IpfixOutput implements FlowOutput {
  readonly #out: LineWriter;
  readonly #format: FlowFormatter;
  readonly #sink = new RecordSink();
  readonly #message = Buffer.alloc(ROOM_BYTES);
  readonly #templates = new Map<string, number>();
  #length = MESSAGE_HEADER;
  /** Where the open set begins, and the template of its records. */
  #setAt = 0;
  #setId = 0;
  #records = 0;
  #sequence = 0;
  #exportSeconds = 0;

  constructor(out: LineWriter, names: Names) {
    this.#out = out;
    this.#format = new FlowFormatter(names);
  }

  write(batch: FlowBatch): void {
    for (let n = 0; n < batch.length; n++) {
      this.#sink.begin();
      this.#format.tell(batch, n, undefined, this.#sink);
      this.#add();
      this.#exportSeconds = Math.max(this.#exportSeconds, Math.floor(batch.endUs[n] / 1e6));
      if (this.#length >= MESSAGE_BYTES) this.end();
    }
  }

  /** Hands the open message on. */
  end(): void {
    if (this.#length === MESSAGE_HEADER) return;
    this.#closeSet();
    const message = this.#message;
    message.writeUInt16BE(VERSION, 0);
    message.writeUInt16BE(this.#length, 2);
    message.writeUInt32BE(this.#exportSeconds % 2 ** 32, 4);
    message.writeUInt32BE(this.#sequence, 8);
    message.writeUInt32BE(0, 12);
    this.#out.bytes(message.subarray(0, this.#length));
    this.#sequence = (this.#sequence + this.#records) % 2 ** 32;
    this.#records = 0;
    this.#length = MESSAGE_HEADER;
  }

  #add(): void {
    const { bytes, length, elements } = this.#sink;
    const key = elements.join();
    const id = this.#templates.get(key) ?? this.#template(key, elements);
    if (id !== this.#setId) {
      this.#closeSet();
      this.#openSet(id);
    }
    bytes.copy(this.#message, this.#length, 0, length);
    this.#length += length;
    this.#records++;
  }

  /* Template record (section 3.4.1): 0 template   2 field count   4 fields: element, length, enterprise number if any */
  #template(key: string, elements: readonly number[]): number {
    const id = FIRST_TEMPLATE + this.#templates.size;
    this.#templates.set(key, id);
    this.#closeSet();
    this.#openSet(TEMPLATE_SET);
    this.#short(id);
    this.#short(elements.length / 3);
    for (let i = 0; i < elements.length; i += 3) {
      const enterprise = elements[i + 2];
      this.#short(elements[i] | (enterprise > 0 ? ENTERPRISE : 0));
      this.#short(elements[i + 1]);
      if (enterprise > 0) this.#length = this.#message.writeUInt32BE(enterprise, this.#length);
    }
    return id;
  }

  /* Set header (section 3.3.2): 0 set   2 length with the header */
  #openSet(id: number): void {
    this.#setAt = this.#length;
    this.#setId = id;
    this.#short(id);
    this.#length += SET_HEADER - 2;
  }

  #closeSet(): void {
    if (this.#setId > 0) this.#message.writeUInt16BE(this.#length - this.#setAt, this.#setAt + 2);
    this.#setId = 0;
  }

  #short(value: number): void {
    this.#length = this.#message.writeUInt16BE(value, this.#length);
  }
}
