import type { Counter } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { StringTable } from '../core/string-table.ts';
import { IPV4_WORD_2 } from '../model/address.ts';
import type { Names } from '../model/names.ts';
import { DNS_NAME, DNS_TYPE, IS_ANSWER, IS_DNS_RESPONSE, META, SNI } from '../model/packet-rows.ts';
import type { AddressNames } from './address-names.ts';
import { DnsReader } from './dns.ts';
import { NameText } from './name-text.ts';
import { isClientHello, serverName } from './tls.ts';

type Bytes = Uint8Array<ArrayBufferLike>;
type Words = Int32Array<ArrayBufferLike>;

const DNS_OVER_TCP = 53;
const LENGTH_PREFIX = 2;
const HEADER = 12;
const MAX_NAME = 255;

/** Looks into transport payload for names: DNS questions and answers, the TLS server name. */
export class Inside implements Stateful {
  readonly #names: StringTable;
  readonly #serverName = new NameText(MAX_NAME);
  readonly #addresses: AddressNames;
  readonly #causes: readonly Counter[];
  readonly #dns: DnsReader;
  readonly #words = new Int32Array(4);
  readonly #sink = (data: Bytes, at: number, length: number): void => this.#learn(data, at, length);

  constructor(names: Names, addresses: AddressNames, causes: readonly Counter[]) {
    this.#names = names.names;
    this.#addresses = addresses;
    this.#causes = causes;
    this.#dns = new DnsReader(names.names);
  }

  save(out: StateWriter): void {
    this.#addresses.save(out);
    this.#dns.cache.save(out);
  }

  restore(state: StateReader): void {
    this.#addresses.restore(state);
    this.#dns.cache.restore(state);
  }

  /** TCP payload from `at` to `end`, of which the bytes before `cap` are at hand: a DNS message, a ClientHello. */
  tcp(data: Bytes, at: number, cap: number, end: number, ports: number, words: Words, row: number): void {
    if (isClientHello(data, at, cap) && serverName(data, at, cap, this.#serverName)) {
      words[row + SNI] = this.#names.intern(this.#serverName.toString());
    }
    if (ports >>> 16 !== DNS_OVER_TCP && (ports & 0xffff) !== DNS_OVER_TCP) return;
    // RFC 1035, section 4.2.2. A segment from the middle of a stream begins with anything: the length must agree.
    if (at + LENGTH_PREFIX + HEADER > cap) return;
    const length = (data[at] << 8) | data[at + 1];
    if (length >= HEADER && at + LENGTH_PREFIX + length >= end) this.dns(data, at + LENGTH_PREFIX, cap, words, row);
  }

  /** A DNS message that begins at `at`. */
  dns(data: Bytes, at: number, cap: number, words: Words, row: number): void {
    const dns = this.#dns;
    const cause = dns.read(data, at, cap, this.#sink);
    if (cause !== null) {
      this.#causes[cause].value++;
      return;
    }
    if (dns.response) words[row + META] |= IS_DNS_RESPONSE | IS_ANSWER;
    words[row + DNS_NAME] = dns.nameId;
    words[row + DNS_TYPE] = dns.type;
  }

  #learn(data: Bytes, at: number, length: number): void {
    const words = this.#words;
    words[0] = 0;
    words[1] = 0;
    words[2] = IPV4_WORD_2;
    for (let i = 0; i < length; i += 4) {
      words[4 - length / 4 + i / 4] =
        (data[at + i] << 24) | (data[at + i + 1] << 16) | (data[at + i + 2] << 8) | data[at + i + 3];
    }
    this.#addresses.set(words, 0, this.#dns.nameId);
  }
}
