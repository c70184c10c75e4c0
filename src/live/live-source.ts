import { type InputError, messageOf, WeirError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import { compileFilter } from './filter.ts';
import { lookUpInterface } from './interface.ts';
import { type Libc, loadLibc } from './native.ts';
import type { LiveOptions } from './options.ts';
import type { ReaderThreadDeps } from './reader-thread.ts';
import { Rings } from './rings.ts';

/** How often threads are looked at for packets. */
const LOOK_MS = 5;
const SECOND_MS = 1000;
/** Rings without koffi, without the right, without libc of this kind: tcpdump may do better. */
const FALLBACK_CODES: ReadonlySet<string> = new Set(['live.koffi', 'live.permission', 'live.map', 'live.open']);

export interface LiveDeps extends Pick<ReaderThreadDeps, 'start'> {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  /** Makes the source that stands in where the ring cannot be had. */
  fallback: () => Source;
}

/**
 * Packets of one interface from the kernel's rings. Each ring is emptied and decoded by a thread of its own, so windows,
 * alerts and checkpoints on this one do not make it overflow. Packets of several rings are given by the time of the first
 * of each batch. What the kernel had no room for is read each second. An interface that goes away is waited for.
 */
export class LiveSource implements Source {
  readonly name: string;
  error: InputError | null = null;
  readonly #options: LiveOptions;
  readonly #deps: LiveDeps;
  readonly #counters: { packets: Counter; drops: Counter; received: Counter; reopens: Counter; tags: Counter };
  #libc: Libc | null = null;
  #rings: Rings | null = null;
  #index = -1;
  #timers: NodeJS.Timeout[] = [];
  #instead: Source | null = null;
  #wake: () => void = () => {};
  #opening = false;

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
    const options = { workers, ring, promiscuous, filter: program, cardTime: timestamps === 'card' };
    const { names, metrics, start, logger } = this.#deps;
    this.#rings = Rings.open(this.#libc!, device, options, {
      names,
      metrics,
      start,
      counts: ({ restoredTags }) => {
        this.#counters.tags.value += restoredTags;
      },
      failed: (message) => void this.#lose('live.thread', `a reading thread ended: ${message}`),
    });
    this.#index = device.index;
    this.error = null;
    const { count, size } = this.#rings;
    logger.info({ code: 'live.open', source: this.name, interface: name, rings: count, mebibytes: size }, 'capturing');
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
    if (this.#rings?.ready) this.#wake();
  }

  poll(intake: Intake, budget: number, untilUs?: number): boolean | Promise<boolean> {
    if (this.#instead !== null) return this.#instead.poll(intake, budget, untilUs);
    for (let given = 0; given < budget; ) {
      const rows = this.#rings?.next() ?? null;
      if (rows === null) return false;
      given += rows.length;
      this.#counters.packets.value += rows.length;
      intake.rows(rows);
    }
    return true;
  }

  async #eachSecond(): Promise<void> {
    if (this.#opening) return;
    this.#takeCounts();
    const device = lookUpInterface(this.#options.interface);
    if (device?.index === this.#index) return this.#tellState(device.up);
    this.#opening = true;
    if (this.#rings !== null) await this.#lose('live.gone', `${this.#options.interface} is gone`);
    if (device !== null) await this.#openAgain();
    this.#opening = false;
  }

  async #openAgain(): Promise<void> {
    try {
      await this.#open();
      this.#counters.reopens.value++;
      this.#deps.logger.info({ code: 'live.back', source: this.name }, `${this.#options.interface} is back`);
    } catch (cause) {
      this.#tell('live.open', messageOf(cause));
    }
  }

  #takeCounts(): void {
    if (this.#rings === null) return;
    const { packets, drops } = this.#rings.counts();
    this.#counters.received.value += packets;
    this.#counters.drops.value += drops;
  }

  /** A socket whose interface goes down and up again goes on by itself. */
  #tellState(up: boolean): void {
    if (!up) this.#tell('live.down', `${this.#options.interface} is down`);
    else if (this.error !== null) {
      this.error = null;
      this.#counters.reopens.value++;
      this.#deps.logger.info({ code: 'live.back', source: this.name }, `${this.#options.interface} is up again`);
    }
  }

  /** The interface is gone: packets that still wait are of the past and of no use without it. */
  async #lose(code: string, message: string): Promise<void> {
    this.#tell(code, message);
    const rings = this.#rings;
    this.#rings = null;
    this.#index = -1;
    await rings?.close();
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
    const size = { rings: this.#rings?.count ?? 0, ringMebibytes: this.#rings?.size ?? 0 };
    return { interface: this.#options.interface, ...size, ...counts };
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#takeCounts();
    const rings = this.#rings;
    this.#rings = null;
    await rings?.close();
    await this.#instead?.stop();
  }
}
