import type { InputError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import { Decoder, EARLY_FRAGMENTS } from '../decode/decode.ts';
import { Meter } from '../meter/meter.ts';
import type { FlowSink } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { PacketRows } from '../model/packet-rows.ts';
import type { PacketInput } from '../packets.ts';
import { openOrdered, type PacketStream } from '../source/source.ts';

/** Packets that are decoded and metered together: their rows stay in the first cache (test/perf/meter.ts). */
const ROWS = 128;

/** What metering one input tells. */
export interface HerePort {
  notice(message: string): void;
  damage(name: string, error: InputError): void;
  progress(share: number | null, packets: number): void;
}

interface Deps {
  names: Names;
  metrics: Metrics;
}

/** Reader, decoder and meter on this thread, one input after another; loaded only where no thread of their own is worth while. */
export class HereMeter {
  readonly #deps: Deps;
  readonly #meter: Meter;
  readonly #rows = new PacketRows(ROWS);

  constructor(options: PacketInput['meter'], onRecords: FlowSink, deps: Deps) {
    this.#deps = deps;
    this.#meter = new Meter(options ?? {}, { metrics: deps.metrics, onSlices: () => {}, onRecords });
    this.#rows.lean = true;
  }

  /** @returns how many packets there were */
  async meter({ paths, boundUs, reader, tunnels }: PacketInput, port: HerePort): Promise<number> {
    const { names, metrics } = this.#deps;
    const stream = openOrdered(paths, { boundUs, reader, notice: port.notice });
    const decoder = new Decoder({ names, tunnels, maxEarlyFragments: EARLY_FRAGMENTS }, { metrics });
    const packets = await this.#pump(stream, decoder, port);
    while (decoder.end(this.#rows) > 0) this.#meter.add(this.#rows);
    this.#meter.end();
    stream.close();
    for (const { name, error } of stream.readers) {
      if (error !== null) port.damage(name, error);
    }
    return packets;
  }

  async #pump(stream: PacketStream, decoder: Decoder, port: HerePort): Promise<number> {
    const { bytesTotal } = stream;
    let packets = 0;
    for (;;) {
      const next = stream.next();
      const run = next instanceof Promise ? await next : next;
      if (run === null) return packets;
      for (let at = run.from; at < run.to; ) {
        at += decoder.decode(run.batch, at, run.to, this.#rows);
        this.#meter.add(this.#rows);
      }
      packets += run.to - run.from;
      port.progress(bytesTotal ? stream.bytesRead / bytesTotal : null, packets);
    }
  }
}
