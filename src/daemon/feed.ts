import type { Decoder } from '../decode/decode.ts';
import type { Engine } from '../engine.ts';
import type { FlowBatch, FlowSink } from '../model/flow-batch.ts';
import type { CounterFacts, Intake } from '../model/intake.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import { PacketRows, ROW, TIME_F64 } from '../model/packet-rows.ts';
import type { Lane } from './time-keeper.ts';

const ROWS = 256;

export interface FeedPorts {
  decoder: Decoder;
  engine: () => Engine;
  /** Hears of flow records that a source brings as such. */
  records: FlowSink;
}

/** What one source gives, on its way to the engine: packets are decoded, and the source's event time is noted. */
export class Feed implements Intake {
  readonly lane: Lane;
  readonly #ports: FeedPorts;
  readonly #rows = new PacketRows(ROWS);
  /** Its flows are records of traffic, and not what an interface carried. */
  readonly #brings: boolean;

  constructor(lane: Lane, ports: FeedPorts, brings: boolean) {
    this.lane = lane;
    this.#ports = ports;
    this.#brings = brings;
  }

  packets(batch: PacketBatch, from: number, to: number): void {
    const { decoder } = this.#ports;
    const rows = this.#rows;
    for (let at = from; at < to; ) {
      at += decoder.decode(batch, at, to, rows);
      this.rows(rows);
    }
  }

  rows(rows: PacketRows): void {
    this.#noteTimes(rows);
    this.#ports.engine().rows(rows);
  }

  flows(batch: FlowBatch): void {
    this.#ports.engine().flows(batch, (endUs) => {
      if (endUs > this.lane.maxUs) this.lane.maxUs = endUs;
    });
    if (this.#brings) this.#ports.records(batch);
  }

  series(name: string, timeUs: number, value: number, facts?: CounterFacts): void {
    if (timeUs > this.lane.maxUs) this.lane.maxUs = timeUs;
    this.#ports.engine().series(name, timeUs, value, facts);
  }

  #noteTimes({ doubles, length }: PacketRows): void {
    let maxUs = this.lane.maxUs;
    for (let row = 0; row < length; row++) {
      const timeUs = doubles[((row * ROW) >> 1) + TIME_F64];
      if (timeUs > maxUs) maxUs = timeUs;
    }
    this.lane.maxUs = maxUs;
  }
}

/** At the end of all packets: fragments that still wait for their first one come now. */
export function giveWaiting({ decoder, engine }: FeedPorts): void {
  const rows = new PacketRows(ROWS);
  while (decoder.end(rows) > 0) engine().rows(rows);
}
