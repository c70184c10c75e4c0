import {
  DEFAULT_HOME,
  formatPrefix,
  inPrefix,
  isMapped,
  maskAddress,
  type Prefix,
  parsePrefix,
} from '../model/address.ts';
import { DST, HAS_IP, META, type PacketRows, ROW, SRC } from '../model/packet-rows.ts';

/** Share of packets that must touch the default home nets for them to be taken as they are. */
const ENOUGH = 0.2;
/** Learned nets must touch this share of packets together; no more than `MAX_NETS` of them. */
const COVER = 0.9;
const MAX_NETS = 4;
/** Cut of a learned net: the usual size of a site. */
const BITS_IPV4 = 120;
const BITS_IPV6 = 48;

interface Candidate {
  prefix: Prefix;
  packets: number;
  received: number;
  peers: Set<string>;
}

/**
 * Finds out which nets are home when nobody said so: private and documentation nets if the traffic touches them,
 * otherwise the fewest site-sized nets that most packets come from or go to. Of two nets that always talk to each
 * other, home is the one with more peers, then the one that receives more.
 */
export class HomeLearner {
  readonly #default = DEFAULT_HOME.map((text) => parsePrefix(text)!);
  readonly #pairs = new Map<string, number>();
  readonly #candidates = new Map<string, Candidate>();
  #packets = 0;
  #touched = 0;

  add(rows: PacketRows): void {
    for (let i = 0; i < rows.length; i++) {
      if ((rows.words[i * ROW + META] & HAS_IP) !== 0) this.#packet(rows.words, i * ROW);
    }
  }

  /** The home nets, and whether they were learned from the traffic. */
  answer(): { home: Prefix[]; learned: boolean } {
    if (this.#packets === 0 || this.#touched >= ENOUGH * this.#packets) return { home: this.#default, learned: false };
    return { home: [...this.#default, ...this.#cover()], learned: true };
  }

  #packet(words: Int32Array, at: number): void {
    this.#packets++;
    if (this.#isDefault(words, at + SRC) || this.#isDefault(words, at + DST)) this.#touched++;
    const source = this.#candidate(words, at + SRC);
    const destination = this.#candidate(words, at + DST);
    if (source === destination) return;
    if (source) this.#count(source, destination, false);
    if (destination) this.#count(destination, source, true);
    const pair = `${source ? formatPrefix(source.prefix) : ''} ${destination ? formatPrefix(destination.prefix) : ''}`;
    this.#pairs.set(pair, (this.#pairs.get(pair) ?? 0) + 1);
  }

  #count(own: Candidate, other: Candidate | null, received: boolean): void {
    own.packets++;
    if (received) own.received++;
    if (other) own.peers.add(formatPrefix(other.prefix));
  }

  #isDefault(words: Int32Array, at: number): boolean {
    return this.#default.some((prefix) => inPrefix(prefix, words, at));
  }

  /** Multicast and unspecified addresses are nobody's home. */
  #candidate(words: Int32Array, at: number): Candidate | null {
    const mapped = isMapped(words, at);
    if (mapped ? words[at + 3] >>> 28 >= 14 || words[at + 3] === 0 : words[at] >>> 24 === 0xff || words[at] === 0)
      return null;
    const cut = words.slice(at, at + 4);
    const bits = mapped ? BITS_IPV4 : BITS_IPV6;
    maskAddress(cut, 0, bits);
    const name = cut.join(',');
    const known = this.#candidates.get(name);
    if (known) return known;
    const prefix: Prefix = { words: [cut[0], cut[1], cut[2], cut[3]], bits };
    const fresh = { prefix, packets: 0, received: 0, peers: new Set<string>() };
    this.#candidates.set(name, fresh);
    return fresh;
  }

  /** Greedy cover: the net that touches most packets not yet covered, ties by peers, then by packets received. */
  #cover(): Prefix[] {
    const chosen: Candidate[] = [];
    const open = new Map(this.#pairs);
    let covered = 0;
    const total = [...open.values()].reduce((sum, count) => sum + count, 0);
    while (chosen.length < MAX_NETS && covered < COVER * total) {
      const gain = gains(open);
      const best = [...this.#candidates.values()]
        .filter((candidate) => !chosen.includes(candidate))
        .sort((a, b) => rank(b, gain) - rank(a, gain) || b.peers.size - a.peers.size || b.received - a.received)[0];
      if (!best || rank(best, gain) === 0) break;
      chosen.push(best);
      for (const [pair, count] of open) {
        if (!pair.split(' ').includes(formatPrefix(best.prefix))) continue;
        covered += count;
        open.delete(pair);
      }
    }
    return chosen.map((candidate) => candidate.prefix);
  }
}

function gains(open: Map<string, number>): Map<string, number> {
  const gain = new Map<string, number>();
  for (const [pair, count] of open) {
    for (const name of pair.split(' ')) gain.set(name, (gain.get(name) ?? 0) + count);
  }
  return gain;
}

const rank = (candidate: Candidate, gain: Map<string, number>): number => gain.get(formatPrefix(candidate.prefix)) ?? 0;
