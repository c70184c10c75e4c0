import { type Piece, piece } from '../core/ascii-writer.ts';
import { formatUs } from '../core/time.ts';
import { isMapped } from './address.ts';
import { type FieldSink, FLOW_COLUMNS, type FlowField } from './flow-fields.ts';
import { LineBuffer } from './line-buffer.ts';

/** Header stacks and names whose JSON is remembered. */
const MOST_KEPT = 4096;
/** Slots of the cache of seconds, a power of two. */
const SECONDS = 64;
const LATEST_US = 253402300800e6;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;
const LINE_END = 0x0a;

/** The start of each field in a JSON object, comma and colon included; and with the quote that opens a text. */
const KEYS = pieces(':');
const TEXT_KEYS = pieces(':"');
const NULL = piece('null');
const QUOTED_Z = piece('Z"');

function pieces(after: string): Record<FlowField, Piece> {
  return Object.fromEntries(FLOW_COLUMNS.map((field) => [field, piece(`,"${field}"${after}`)])) as Record<
    FlowField,
    Piece
  >;
}

/** Flow records as lines of JSON, straight to bytes: a record makes no string (test/perf/text.ts). */
export class JsonSink implements FieldSink {
  readonly out = new LineBuffer();
  #start = 0;
  readonly #stacks = new Map<number, Piece>();
  readonly #texts = new Map<string, Piece>();
  readonly #seconds: Piece[] = new Array(SECONDS).fill(NULL);
  readonly #secondNumbers = new Float64Array(SECONDS).fill(-1);

  begin(): void {
    this.out.room(0);
    this.#start = this.out.length;
  }

  /** Ends the line. Each field began with a comma: the first one's becomes the bracket. */
  end(): void {
    const { out } = this;
    out.bytes[this.#start] = OPEN;
    out.byte(CLOSE);
    out.byte(LINE_END);
  }

  number(field: FlowField, value: number): void {
    this.out.piece(KEYS[field]);
    this.out.number(value);
  }

  text(field: FlowField, value: string): void {
    let kept = this.#texts.get(value);
    if (kept === undefined) {
      if (this.#texts.size === MOST_KEPT) this.#texts.clear();
      kept = piece(JSON.stringify(value));
      this.#texts.set(value, kept);
    }
    this.#put(field, kept);
  }

  unknown(field: FlowField): void {
    this.#put(field, NULL);
  }

  layers(id: number, text: string): void {
    let stack = this.#stacks.get(id);
    if (stack === undefined) {
      if (this.#stacks.size === MOST_KEPT) this.#stacks.clear();
      stack = piece(JSON.stringify(text.split(' ')));
      this.#stacks.set(id, stack);
    }
    this.#put('layers', stack);
  }

  #put(field: FlowField, value: Piece): void {
    this.out.piece(KEYS[field]);
    this.out.room(value.length);
    this.out.piece(value);
  }

  time(field: FlowField, us: number): void {
    const { out } = this;
    out.piece(TEXT_KEYS[field]);
    if (!(us >= 0 && us < LATEST_US)) {
      out.text(formatUs(us));
      out.byte(QUOTE);
      return;
    }
    const second = Math.floor(us / 1e6);
    const slot = second % SECONDS;
    if (this.#secondNumbers[slot] !== second) {
      this.#secondNumbers[slot] = second;
      this.#seconds[slot] = piece(formatUs(second * 1e6).slice(0, -7));
    }
    out.piece(this.#seconds[slot]);
    out.six(Math.round(us - second * 1e6));
    out.piece(QUOTED_Z);
  }

  address(field: FlowField, words: Int32Array, at: number): void {
    this.out.piece(TEXT_KEYS[field]);
    if (isMapped(words, at)) this.out.ipv4(words[at + 3]);
    else this.out.ipv6(words, at);
    this.out.byte(QUOTE);
  }

  mac(field: FlowField, mac: number): void {
    this.out.piece(TEXT_KEYS[field]);
    this.out.mac(mac);
    this.out.byte(QUOTE);
  }

  communityId(digest: Int32Array): void {
    this.out.piece(COMMUNITY_KEY);
    this.out.digest(digest);
  }
}

const COMMUNITY_KEY = piece(',"communityId":"1:');
