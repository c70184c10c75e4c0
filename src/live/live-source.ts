import { type InputError, messageOf, WeirError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import type { Intake, Source } from '../model/intake.ts';
import { compileFilter } from './filter.ts';
import { lookUpInterface } from './interface.ts';
import { type Libc, loadLibc } from './native.ts';
import type { LiveOptions } from './options.ts';
import { Ring } from './ring.ts';

const BLOCK_BYTES = 1 << 20;
/** The kernel gives a block after this at the latest, and rings are looked at this often. */
const RETIRE_MS = 20;
const LOOK_MS = 5;
const SECOND_MS = 1000;
/** Rings without koffi, without the right, without libc of this kind: tcpdump may do better. */
const FALLBACK_CODES: ReadonlySet<string> = new Set(['live.koffi', 'live.permission', 'live.map', 'live.open']);

export interface LiveDeps {
  metrics: Metrics;
  logger: Logger;
  /** Makes the source that stands in where the ring cannot be had. */
  fallback: () => Source;
}

/**
 * Packets of one interface from the kernel's ring, in place. Every ring is read by this thread; each block is given in
 * order of time, and blocks of several rings by the time of their first packet. What the kernel had no room for is read
 * each second. An interface that goes away is waited for.
 */
export class LiveSource implements Source {
  readonly name: string;
  error: InputError | null = null;
  readonly #options: LiveOptions;
  readonly #deps: LiveDeps;
  readonly #counters: { packets: Counter; drops: Counter; received: Counter; reopens: Counter; tags: Counter };
  #libc: Libc | null = null;
  #rings: Ring[] = [];
  #index = -1;
  #timers: NodeJS.Timeout[] = [];
  #instead: Source | null = null;
  #wake: () => void = () => {};
  #tags = 0;

  constructor(options: LiveOptions, deps: LiveDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    const { metrics } = deps;
    const labels = `source="${options.name}",interface="${options.interface}"`;
    this.#counters = {
      packets: metrics.counter(`weir_source_packets_total{source="${options.name}"}`, 'Packets a source gave.'),
      drops: metrics.counter(
        `weir_source_drops_total{source="${options.name}",cause="kernel"}`,
        'Packets lost before weir got them.',
      ),
      received: metrics.counter(`weir_live_received_total{${labels}}`, 'Packets that passed the filter in the kernel.'),
      reopens: metrics.counter(`weir_live_reopens_total{${labels}}`, 'Times an interface came back.'),
      tags: metrics.counter(
        `weir_live_restored_tags_total{${labels}}`,
        'VLAN tags put back from the metadata of the ring.',
      ),
    };
  }

  get done(): boolean {
    return this.#instead?.done ?? false;
  }

  /** Throws for a wrong filter or an interface that is not there. */
  async start(wake: () => void): Promise<void> {
    this.#wake = wake;
    try {
      this.#libc = await loadLibc();
      await this.#open();
    } catch (cause) {
      return this.#fallBack(cause, wake);
    }
    this.#dropRights();
    this.#timers = [setInterval(() => this.#look(), LOOK_MS), setInterval(() => void this.#eachSecond(), SECOND_MS)];
  }

  async #open(): Promise<void> {
    const { interface: name, filter, workers, ring, promiscuous, timestamps } = this.#options;
    const device = lookUpInterface(name);
    if (device === null) throw new WeirError('live.interface', `there is no interface ${name}`, { hint: 'ip link' });
    const program = filter === '' ? null : await compileFilter(filter, device.linkType);
    const fanout = workers === 1 ? null : (process.pid * 31 + device.index) & 0xffff;
    const blocks = Math.max(2, Math.floor((ring << 20) / BLOCK_BYTES / workers));
    const options = { blockBytes: BLOCK_BYTES, blocks, retireMs: RETIRE_MS, filter: program, promiscuous, fanout };
    const rings: Ring[] = [];
    try {
      for (let i = 0; i < workers; i++)
        rings.push(new Ring(this.#libc!, device, { ...options, cardTime: timestamps === 'card' }));
    } catch (cause) {
      for (const opened of rings) opened.close();
      throw cause;
    }
    this.#rings = rings;
    this.#index = device.index;
    this.error = null;
  }

  async #fallBack(cause: unknown, wake: () => void): Promise<void> {
    const code = cause instanceof WeirError ? cause.code : '';
    if (!this.#options.fallback || !FALLBACK_CODES.has(code)) throw cause;
    this.error = { code, offset: 0, message: messageOf(cause) };
    this.#deps.logger.warn({ code, source: this.name }, `${messageOf(cause)}; tcpdump is started instead`);
    this.#instead = this.#deps.fallback();
    await this.#instead.start(wake);
  }

  /** Root only opens; a process that never was root keeps its capabilities. */
  #dropRights(): void {
    const { user } = this.#options;
    if (user === undefined || process.getuid?.() !== 0) return;
    (process as NodeJS.Process & { initgroups?(user: string, group: string): void }).initgroups?.(user, user);
    process.setgid?.(user);
    process.setuid?.(user);
    this.#deps.logger.info({ code: 'live.user', source: this.name, user }, 'rights dropped');
  }

  #look(): void {
    for (const ring of this.#rings) {
      if (ring.readyUs === Number.POSITIVE_INFINITY) continue;
      this.#wake();
      return;
    }
  }

  poll(intake: Intake, budget: number, untilUs?: number): boolean | Promise<boolean> {
    if (this.#instead !== null) return this.#instead.poll(intake, budget, untilUs);
    for (let given = 0; given < budget; ) {
      const ring = this.#first();
      if (ring === null || !ring.fill()) return false;
      const { batch } = ring;
      if (batch.length > 0) intake.packets(batch, 0, batch.length);
      this.#counters.packets.value += batch.length;
      given += Math.max(1, batch.length);
      ring.release();
    }
    return true;
  }

  /** The ring whose block begins first. */
  #first(): Ring | null {
    let first: Ring | null = null;
    let firstUs = Number.POSITIVE_INFINITY;
    for (const ring of this.#rings) {
      const us = ring.readyUs;
      if (us >= firstUs) continue;
      first = ring;
      firstUs = us;
    }
    return first;
  }

  async #eachSecond(): Promise<void> {
    this.#takeCounts();
    const device = lookUpInterface(this.#options.interface);
    if (device?.index === this.#index) return this.#tellState(device.up);
    if (this.#rings.length > 0) this.#lose();
    if (device === null) return;
    try {
      await this.#open();
      this.#counters.reopens.value++;
      this.#deps.logger.info({ code: 'live.back', source: this.name }, `${this.#options.interface} is back`);
    } catch (cause) {
      this.#tell('live.open', messageOf(cause));
    }
  }

  #takeCounts(): void {
    let tags = 0;
    for (const ring of this.#rings) {
      const { packets, drops } = ring.counts();
      this.#counters.received.value += packets;
      this.#counters.drops.value += drops;
      tags += ring.restoredTags;
    }
    this.#counters.tags.value += Math.max(0, tags - this.#tags);
    this.#tags = tags;
  }

  /** A socket whose interface goes down and up again goes on by itself; its error is only read. */
  #tellState(up: boolean): void {
    for (const ring of this.#rings) ring.pendingError();
    if (!up) this.#tell('live.down', `${this.#options.interface} is down`);
    else if (this.error !== null) {
      this.error = null;
      this.#counters.reopens.value++;
      this.#deps.logger.info({ code: 'live.back', source: this.name }, `${this.#options.interface} is up again`);
    }
  }

  /** The interface is gone: packets that still wait are of the past and of no use without it. */
  #lose(): void {
    this.#tell('live.gone', `${this.#options.interface} is gone`);
    for (const ring of this.#rings) ring.close();
    this.#rings = [];
    this.#index = -1;
    this.#tags = 0;
  }

  #tell(code: string, message: string): void {
    if (this.error?.code === code) return;
    this.error = { code, offset: 0, message };
    this.#deps.logger.warn({ code, source: this.name }, message);
  }

  /** What passed by while nobody looked is gone: there is no position. */
  save(out: StateWriter): void {
    out.number(this.#counters.packets.value);
  }

  restore(state: StateReader): void {
    state.number();
  }

  status(): Record<string, string | number | null> {
    if (this.#instead !== null) return { instead: 'tcpdump', ...this.#instead.status?.() };
    const { packets, drops, received, reopens } = this.#counters;
    const counts = {
      packets: packets.value,
      kernelDrops: drops.value,
      received: received.value,
      reopens: reopens.value,
    };
    return { interface: this.#options.interface, rings: this.#rings.length, ...counts };
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#takeCounts();
    for (const ring of this.#rings) ring.close();
    this.#rings = [];
    await this.#instead?.stop();
  }
}
