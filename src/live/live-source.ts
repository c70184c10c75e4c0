import { type InputError, messageOf, WeirError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import { needCardTime } from './card-time.ts';
import { compileFilter } from './filter.ts';
import { lookUpInterface } from './interface.ts';
import { type Libc, loadLibc } from './native.ts';
import type { LiveOptions } from './options.ts';
import type { LiveCounts, ReaderThreadDeps } from './reader-thread.ts';
import { Rings } from './rings.ts';
import { becomeUser, lookUpUser, type SystemUser } from './user.ts';

/** How often threads are looked at for packets. */
const LOOK_MS = 5;
const SECOND_MS = 1000;
/** Rings without koffi, without the right, without libc of this kind: tcpdump may do better. */
const FALLBACK_CODES: ReadonlySet<string> = new Set(['live.koffi', 'live.permission', 'live.map', 'live.open']);

export interface LiveDeps extends Pick<ReaderThreadDeps, 'start'> {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  /** What is given to the user whose rights are taken: the state, which is written on. */
  folders: readonly string[];
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
  readonly #counters: Record<'packets' | 'drops' | 'received' | 'reopens' | 'tags' | 'unstamped', Counter>;
  #libc: Libc | null = null;
  #rings: Rings | null = null;
  #index = -1;
  #timers: NodeJS.Timeout[] = [];
  #instead: Source | null = null;
  #wake: () => void = () => {};
  #opening = false;
  #user: SystemUser | null = null;
  #unstampedTold = false;

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
      unstamped: metrics.counter(
        `weir_live_unstamped_total{${labels}}`,
        "Packets without the card's time, where it was asked for: they have the kernel's.",
      ),
    };
  }

  get done(): boolean {
    return this.#instead?.done ?? false;
  }

  /** Throws for a wrong filter, an interface or a user that is not there. */
  async start(wake: () => void): Promise<void> {
    this.#wake = wake;
    const { user } = this.#options;
    if (user !== undefined) this.#user = lookUpUser(user);
    try {
      this.#libc = await loadLibc();
      await this.#open();
    } catch (cause) {
      return this.#fallBack(cause, wake);
    }
    this.#timers = [setInterval(() => this.#look(), LOOK_MS), setInterval(() => void this.#eachSecond(), SECOND_MS)];
  }

  async #open(): Promise<void> {
    const { interface: name, filter, workers, ring, promiscuous, timestamps } = this.#options;
    const device = lookUpInterface(name);
    if (device === null) throw new WeirError('live.interface', `there is no interface ${name}`, { hint: 'ip link' });
    if (timestamps === 'card') needCardTime(this.#libc!, name);
    const program = filter === '' ? null : await compileFilter(filter, device.linkType);
    const options = { workers, ring, promiscuous, filter: program, cardTime: timestamps === 'card' };
    const { names, metrics, start, logger } = this.#deps;
    this.#rings = Rings.open(this.#libc!, device, options, {
      names,
      metrics,
      start,
      counts: (counts) => this.#count(counts),
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

  /** Root only opens. It is the first poll that comes when all sources are open. */
  #dropRights(user: SystemUser): void {
    this.#user = null;
    if (!becomeUser(user, this.#deps.folders)) return;
    this.#deps.logger.info({ code: 'live.user', source: this.name, user: user.name }, 'rights dropped');
  }

  #look(): void {
    if (this.#rings?.ready) this.#wake();
  }

  poll(intake: Intake, budget: number, untilUs?: number): boolean | Promise<boolean> {
    if (this.#user !== null) this.#dropRights(this.#user);
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

  #count({ restoredTags, unstamped }: LiveCounts): void {
    this.#counters.tags.value += restoredTags;
    this.#counters.unstamped.value += unstamped;
    if (unstamped === 0 || this.#unstampedTold) return;
    this.#unstampedTold = true;
    const { interface: device } = this.#options;
    const message = `${device} stamps no packets now, so they have the kernel's time: hwstamp_ctl -i ${device} -r 1`;
    this.#deps.logger.warn({ code: 'live.timestamps', source: this.name }, message);
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
