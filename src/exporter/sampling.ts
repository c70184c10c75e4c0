import type { SharedRoom } from './shared-room.ts';

/** How an exporter samples: what options records say of an observation domain. N of 1:N each. */
export interface SamplingHints {
  interval: number;
  space: number;
  size: number;
  population: number;
  rate: number;
  probability: number;
}

/**
 * N of 1:N. n of N (samplingPopulation over samplingSize) comes before the packet interval: of `interval` packets that
 * are taken and `space` that are not (RFC 5477, section 8.2); without a space the interval is from one to the next.
 * @returns 0 when nothing is said
 */
export function rateOf(hints: SamplingHints): number {
  const { interval, space, size, population, rate, probability } = hints;
  if (size > 0 && population > 0) return population / size;
  if (interval > 0) return space >= 0 ? (interval + space) / interval : interval;
  if (probability > 0 && probability <= 1) return 1 / probability;
  return rate;
}

/** Sampling of an observation domain. */
export class Sampling {
  /** Of everything that names no sampler; 0 until something is said. */
  common = 0;
  readonly #bySampler = new Map<number, number>();
  readonly #room: SharedRoom;

  constructor(room: SharedRoom) {
    this.#room = room;
  }

  learn(sampler: number, rate: number): void {
    if (rate <= 0) return;
    if (sampler < 0) this.common = rate;
    else this.#room.put(this.#bySampler, sampler, rate);
  }

  /** Of records that name a sampler: 0 is unknown, sampler 0 is "none" where nobody defined it. */
  of(sampler: number): number {
    const rate = this.#bySampler.get(sampler);
    if (rate !== undefined) return rate;
    if (sampler === 0) return this.common || 1;
    return this.common;
  }

  get isKnown(): boolean {
    return this.common > 0 || this.#bySampler.size > 0;
  }

  toJson(): unknown {
    return { common: this.common, samplers: [...this.#bySampler] };
  }

  fromJson(value: { common: number; samplers: [number, number][] }): void {
    this.common = value.common;
    for (const [sampler, rate] of value.samplers) this.#room.put(this.#bySampler, sampler, rate);
  }

  /** The domain is forgotten. */
  leave(): void {
    this.#room.free(this.#bySampler);
  }
}
