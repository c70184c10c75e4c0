import { readdirSync, statfsSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Component } from './component.ts';
import type { Metrics } from './metrics.ts';

const RESOLUTION_MS = 10;
const PERIOD_MS = 10_000;

/** What the process itself costs: memory, time, descriptors, and how late its event loop is. */
export class ProcessMetrics implements Component {
  readonly name = 'process-metrics';
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #p99;
  readonly #max;
  #timer: NodeJS.Timeout | null = null;

  /** @param options.folder whose file system is watched */
  constructor(options: { version: string; folder?: string }, { metrics }: { metrics: Metrics }) {
    const gauge = (name: string, help: string, read: () => number) => metrics.gauge(name, help).from(read);
    gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
    gauge('process_start_time_seconds', 'Start, seconds since the epoch.', () => performance.timeOrigin / 1000);
    gauge('process_cpu_time_seconds', 'Processor time of user and system.', cpuSeconds);
    gauge('process_open_fds', 'Open file descriptors.', openDescriptors);
    metrics.gauge(`weir_build_info{version="${options.version}",node="${process.versions.node}"}`, 'Versions.').value =
      1;
    const help = 'How much later than asked a timer came in the last ten seconds';
    this.#p99 = metrics.gauge('weir_event_loop_delay_p99_seconds', `${help}: 99th percentile.`);
    this.#max = metrics.gauge('weir_event_loop_delay_max_seconds', `${help}: the worst.`);
    const { folder } = options;
    if (folder === undefined) return;
    gauge('weir_disk_free_ratio', 'Free share of the file system of the store.', () => freeRatio(folder));
  }

  start(): void {
    this.#delay.enable();
    this.#timer ??= setInterval(() => this.#sample(), PERIOD_MS).unref();
  }

  stop(): void {
    this.#delay.disable();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #sample(): void {
    const seconds = (ns: number) => Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000);
    this.#p99.value = seconds(this.#delay.percentile(99));
    this.#max.value = seconds(this.#delay.max);
    this.#delay.reset();
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return Number.NaN;
  }
}

function freeRatio(folder: string): number {
  try {
    const { bavail, blocks } = statfsSync(folder);
    return blocks > 0 ? bavail / blocks : Number.NaN;
  } catch {
    return Number.NaN;
  }
}
