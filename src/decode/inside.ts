import { IPV4_WORD_2 } from '../model/address.ts';
import type { Names } from '../model/names.ts';
import { DNS_NAME, DNS_TYPE, IS_ANSWER, IS_DNS_RESPONSE, META, SNI } from '../model/packet-rows.ts';
import type { AddressNames } from './address-names.ts';
import { DnsReader } from './dns.ts';
import { NameCache } from './name-cache.ts';
import { NameText } from './name-text.ts';
import { DNS_PORT, UDP_PORTS } from './ports-of-services.ts';
import { isClientHello, serverName } from './tls.ts';
import type { Walk } from './walk.ts';

const DNS_OVER_TCP = 53;
const LENGTH_PREFIX = 2;
const HEADER = 12;
const MAX_NAME = 255;

/** Looks into transport payload for names: DNS questions and answers, the TLS server name. */
export class Inside {
  readonly #cache: NameCache;
  readonly #serverName = new NameText(MAX_NAME);
  readonly #addresses: AddressNames;
  readonly #dns = new DnsReader();
  readonly #words = new Int32Array(4);
  #nameId = 0;
  readonly #sink = (data: Uint8Array, at: number, length: number): void => this.#learn(data, at, length);

  constructor(names: Names, addresses: AddressNames) {
    this.#cache = new NameCache(names.names);
    this.#addresses = addresses;
  }

  /** UDP payload at `walk.at`, by its ports. */
  udp(walk: Walk, source: number, destination: number): void {
    if (((UDP_PORTS[source] | UDP_PORTS[destination]) & DNS_PORT) !== 0) this.#message(walk, walk.at);
  }

  /** TCP payload at `walk.at`: a DNS message that begins in it (RFC 1035, section 4.2.2), or a ClientHello. */
  tcp(walk: Walk, source: number, destination: number): void {
    const { data, at, cap } = walk;
    if (isClientHello(data, at, cap)) this.#clientHello(walk);
    if (source !== DNS_OVER_TCP && destination !== DNS_OVER_TCP) return;
    // A segment from the middle of a stream begins with anything: the length in front must agree.
    if (at + LENGTH_PREFIX + HEADER > cap) return;
    const length = walk.view.getUint16(at);
    if (length < HEADER || at + LENGTH_PREFIX + length < walk.end) return;
    this.#message(walk, at + LENGTH_PREFIX);
  }

  #message(walk: Walk, at: number): void {
    const { words, row } = walk;
    const dns = this.#dns;
    this.#nameId = 0;
    const cause = dns.read(walk.data, at, walk.cap, this.#sink);
    if (cause !== null) {
      walk.count(cause);
      return;
    }
    if (dns.response) words[row + META] |= IS_DNS_RESPONSE | IS_ANSWER;
    if (dns.named) words[row + DNS_NAME] = this.#id();
    words[row + DNS_TYPE] = dns.type;
  }

  /** Id of the message's name, made at most once a message. */
  #id(): number {
    if (this.#nameId === 0) this.#nameId = this.#cache.intern(this.#dns.name);
    return this.#nameId;
  }

  #learn(data: Uint8Array, at: number, length: number): void {
    const words = this.#words;
    words[0] = 0;
    words[1] = 0;
    words[2] = IPV4_WORD_2;
    for (let i = 0; i < length; i += 4) {
      words[4 - length / 4 + i / 4] =
        (data[at + i] << 24) | (data[at + i + 1] << 16) | (data[at + i + 2] << 8) | data[at + i + 3];
    }
    this.#addresses.set(words, 0, this.#id());
  }

  #clientHello(walk: Walk): void {
    const { data, at, cap, words, row } = walk;
    if (serverName(data, at, cap, this.#serverName)) words[row + SNI] = this.#cache.intern(this.#serverName);
  }
}
