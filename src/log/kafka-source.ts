import type { Consumer, MessagesStream } from '@platformatic/kafka';
import { type InputError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import { parseDurationUs } from '../core/units.ts';
import { formatAddress } from '../model/address.ts';
import { createFlowBatch } from '../model/flow-batch.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import type { KafkaOptions } from './kafka-options.ts';
import { reasonOf, securityOf } from './kafka-security.ts';
import { LogParser } from './log-parser.ts';
import { LogRow } from './log-row.ts';
import { AKVORADO_NUMBERS, GOFLOW2_NUMBERS, ProtoRecord } from './proto-record.ts';

/** Aborted transactions are not seen. */
const READ_COMMITTED = 1;
const AGAIN_MS = 2000;
/** Times that stand for the edges of a partition (Kafka protocol, ListOffsets). */
const EARLIEST = -2n;
const LATEST = -1n;

export interface KafkaDeps {
  names: Names;
  metrics: Metrics;
  logger: Logger;
}

type Stream = MessagesStream<Buffer, Buffer, Buffer, Buffer>;

/**
 * Flow messages of a consumer group. The offsets behind what was given are part of the checkpoint, and after a restart
 * reading begins there and nowhere else, so each message enters the state once. The group's committed offsets only follow,
 * for those who watch its lag, and for a daemon that lost its checkpoint.
 */
export class KafkaSource implements Source {
  readonly name: string;
  readonly boundUs: number;
  readonly done = false;
  error: InputError | null = null;
  readonly #options: KafkaOptions;
  readonly #deps: KafkaDeps;
  readonly #batch = createFlowBatch(1024);
  readonly #row: LogRow;
  readonly #parser: LogParser | null;
  readonly #proto: ProtoRecord | null;
  readonly #rows: Counter;
  readonly #bad: Counter;
  /** `topic:partition` to the offset that comes next. */
  #offsets = new Map<string, bigint>();
  #consumer: Consumer<Buffer, Buffer, Buffer, Buffer> | null = null;
  #stream: Stream | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Offsets of the checkpoint that is being written. */
  #saved: readonly (readonly [string, bigint])[] = [];
  #committing = false;
  #stopped = false;

  constructor(options: KafkaOptions, deps: KafkaDeps) {
    this.name = options.name;
    this.boundUs = parseDurationUs(options.delay);
    this.#options = options;
    this.#deps = deps;
    this.#row = new LogRow(deps.names, options.name);
    const counter = (what: string, help: string): Counter =>
      deps.metrics.counter(`weir_kafka_${what}_total{source="${options.name}"}`, help);
    this.#rows = counter('messages', 'Messages read from Kafka.');
    this.#bad = counter('bad_messages', 'Messages that are no flow.');
    const { format, mapping, numbers } = options;
    if (format === 'goflow2-protobuf' || format === 'akvorado-protobuf') {
      const own = format === 'goflow2-protobuf' ? GOFLOW2_NUMBERS : AKVORADO_NUMBERS;
      this.#proto = new ProtoRecord({ ...own, ...numbers }, (words) =>
        deps.names.exporters.intern(formatAddress(words)),
      );
      this.#parser = null;
    } else {
      this.#proto = null;
      this.#parser = new LogParser(mapping ?? format, { names: deps.names, exporter: options.name });
    }
  }

  async start(wake: () => void): Promise<void> {
    const { brokers, group } = this.#options;
    const security = securityOf(this.#options);
    // A member with a name of its own takes its partitions back at once, when it was killed and begins again.
    const groupInstanceId = `weir-${this.name}`;
    const known = { clientId: groupInstanceId, groupInstanceId, groupId: group, bootstrapBrokers: brokers };
    // Loaded only where it is used: it takes twice as long as the rest of weir together.
    const kafka = await import('@platformatic/kafka');
    if (this.#stopped) return;
    this.#consumer = new kafka.Consumer({ ...known, ...security });
    await this.#open(wake);
  }

  async #open(wake: () => void): Promise<void> {
    const { topics, from } = this.#options;
    try {
      const known = await this.#begins();
      const begin = known.length > 0 ? ({ mode: 'manual', offsets: known } as const) : ({ mode: 'committed' } as const);
      const common = {
        topics,
        fallbackMode: from,
        autocommit: false,
        isolationLevel: READ_COMMITTED,
        maxWaitTime: 500,
      };
      this.#stream = (await this.#consumer!.consume({ ...common, ...begin })) as Stream;
      this.#stream.on('readable', wake);
      this.#stream.on('error', (error) => this.#failed(error, wake));
      this.error = null;
      wake();
    } catch (cause) {
      this.#failed(cause, wake);
    }
  }

  /** Where each partition begins after a restart; one that had nothing then begins at its start (or its end). */
  async #begins(): Promise<{ topic: string; partition: number; offset: bigint }[]> {
    if (this.#offsets.size === 0) return [];
    const { topics, from } = this.#options;
    const edges = await this.#consumer!.listOffsets({ topics, timestamp: from === 'earliest' ? EARLIEST : LATEST });
    return [...edges].flatMap(([topic, offsets]) =>
      offsets.map((edge, partition) => ({
        topic,
        partition,
        offset: this.#offsets.get(`${topic}:${partition}`) ?? edge,
      })),
    );
  }

  /** Broker trouble: said, and tried again from the position that is known. */
  #failed(cause: unknown, wake: () => void): void {
    if (this.#stopped) return;
    this.error = { code: 'kafka.read', offset: 0, message: reasonOf(cause) };
    this.#deps.logger.warn({ code: 'kafka.read', source: this.name }, this.error.message);
    this.#stream?.destroy();
    this.#stream = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#open(wake), AGAIN_MS);
  }

  poll(intake: Intake, budget: number): boolean {
    const stream = this.#stream;
    if (stream === null) return false;
    this.#batch.length = 0;
    let given = 0;
    while (given < budget) {
      const message = stream.read() as { value: Buffer; topic: string; partition: number; offset: bigint } | null;
      if (message === null) break;
      given++;
      const key = `${message.topic}:${message.partition}`;
      if (message.offset < (this.#offsets.get(key) ?? 0n)) continue;
      this.#offsets.set(key, message.offset + 1n);
      this.#rows.value++;
      this.#take(message.value, intake);
    }
    this.#give(intake);
    return given === budget;
  }

  #take(value: Buffer, intake: Intake): void {
    const batch = this.#batch;
    if (this.#proto !== null) {
      if (batch.length === batch.capacity) this.#give(intake);
      this.#row.reset();
      if (value.length > 0 && this.#proto.read(value, 0, value.length, this.#row)) this.#row.commit(batch);
      else this.#bad.value++;
      return;
    }
    const parser = this.#parser!;
    const bad = parser.badRows;
    for (let at = 0; at < value.length; ) {
      if (batch.length === batch.capacity) this.#give(intake);
      at += parser.take(value, at, value.length, batch, true);
    }
    this.#bad.value += parser.badRows - bad;
  }

  #give(intake: Intake): void {
    if (this.#batch.length > 0) intake.flows(this.#batch);
    this.#batch.length = 0;
  }

  save(out: StateWriter): void {
    out.json([...this.#offsets].map(([key, offset]) => [key, String(offset)]));
    this.#saved = [...this.#offsets];
  }

  /** Before the checkpoint is complete the group must not know: a run that finds none begins at what was committed. */
  kept(): void {
    void this.#commit(this.#saved);
  }

  /** Tells the group what the checkpoint has. */
  async #commit(saved: readonly (readonly [string, bigint])[]): Promise<void> {
    if (this.#consumer === null || this.#stream === null || this.#committing || saved.length === 0) return;
    this.#committing = true;
    const offsets = saved.map(([key, offset]) => {
      const colon = key.lastIndexOf(':');
      return { topic: key.slice(0, colon), partition: Number(key.slice(colon + 1)), offset, leaderEpoch: -1 };
    });
    try {
      await this.#consumer.commit({ offsets });
    } catch (cause) {
      this.#deps.logger.debug({ code: 'kafka.commit', source: this.name }, messageOf(cause));
    }
    this.#committing = false;
  }

  restore(state: StateReader): void {
    const saved = state.json<[string, string][]>();
    this.#offsets = new Map(saved.map(([key, offset]) => [key, BigInt(offset)]));
  }

  status(): Record<string, string | number | null> {
    return { messages: this.#rows.value, badMessages: this.#bad.value, partitions: this.#offsets.size };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#consumer?.close(true);
  }
}
