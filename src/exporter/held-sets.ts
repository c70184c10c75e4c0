import type { Context } from './context.ts';
import type { ExporterCounters } from './counters.ts';

/** A data set that came before its template, with all that its header said. */
export interface HeldSet {
  bytes: Uint8Array;
  templateId: number;
  context: Context;
}

/** Bytes that a held set costs beside its own. */
const OVERHEAD = 200;

/** Sets that wait for their templates: bounded in bytes, the oldest leave first. */
export class HeldSets {
  readonly #mostBytes: number;
  readonly #lifetimeUs: number;
  readonly #counters: ExporterCounters;
  /** In the order of their coming. */
  readonly #all = new Set<HeldSet>();
  readonly #byTemplate = new Map<string, HeldSet[]>();
  #bytes = 0;

  constructor(options: { mostBytes: number; lifetimeUs: number }, counters: ExporterCounters) {
    this.#mostBytes = options.mostBytes;
    this.#lifetimeUs = options.lifetimeUs;
    this.#counters = counters;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Keeps a copy of the set's records. */
  add(data: Uint8Array, at: number, end: number, templateId: number, context: Context): void {
    const held = { bytes: data.slice(at, end), templateId, context: { ...context } };
    this.#counters.heldSets.value++;
    this.#expire(context.receivedUs);
    this.insert(held);
    for (const oldest of this.#all) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#forget(oldest);
      this.#counters.heldFull.value++;
    }
  }

  insert(held: HeldSet): void {
    this.#all.add(held);
    this.#bytes += held.bytes.length + OVERHEAD;
    const key = keyOf(held.context, held.templateId);
    const waiting = this.#byTemplate.get(key);
    if (waiting === undefined) this.#byTemplate.set(key, [held]);
    else waiting.push(held);
  }

  /** The sets that waited for this template, in order; they are the caller's now. */
  take(context: Context, templateId: number): HeldSet[] {
    if (this.#all.size === 0) return [];
    const waiting = this.#byTemplate.get(keyOf(context, templateId));
    if (waiting === undefined) return [];
    const taken = [...waiting];
    for (const held of taken) this.#forget(held);
    return taken;
  }

  all(): Iterable<HeldSet> {
    return this.#all;
  }

  #expire(nowUs: number): void {
    for (const oldest of this.#all) {
      if (nowUs - oldest.context.receivedUs < this.#lifetimeUs) return;
      this.#forget(oldest);
      this.#counters.heldExpired.value++;
    }
  }

  #forget(held: HeldSet): void {
    this.#all.delete(held);
    this.#bytes -= held.bytes.length + OVERHEAD;
    const key = keyOf(held.context, held.templateId);
    const waiting = this.#byTemplate.get(key);
    if (waiting === undefined) return;
    if (waiting[0] === held) waiting.shift();
    else waiting.splice(waiting.indexOf(held), 1);
    if (waiting.length === 0) this.#byTemplate.delete(key);
  }
}

function keyOf(context: Context, templateId: number): string {
  return `${context.exporter.key} ${context.domain.version} ${context.domain.id} ${templateId}`;
}
