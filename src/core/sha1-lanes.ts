const LANES = 4;
const WORDS = 16;
const DIGEST_AT = 4 * LANES * WORDS;
const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
const ROUND_CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

// Opcodes (WebAssembly core specification 2.0, section 5.4).
const GET = 0x20;
const SET = 0x21;
const I32_CONST_0 = [0x41, 0];
const SIMD = 0xfd;
const ADD = [SIMD, 0xae, 0x01];
const SHIFT_LEFT = [SIMD, 0xab, 0x01];
const SHIFT_RIGHT = [SIMD, 0xad, 0x01];
const AND = [SIMD, 0x4e];
const OR = [SIMD, 0x50];
const XOR = [SIMD, 0x51];
const SELECT = [SIMD, 0x52];
const V128 = 0x7b;

// Locals: the last sixteen words, five of state, one between, four constants.
const STATE = WORDS;
const BETWEEN = STATE + START.length;
const CONSTANT = BETWEEN + 1;
const LOCALS = CONSTANT + ROUND_CONSTANTS.length;

interface Exports {
  memory: { buffer: ArrayBuffer };
  run(): void;
}

/** What TypeScript's libraries know of it belongs to browsers. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    validate(bytes: Uint8Array): boolean;
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object) => { exports: Exports };
  };
};

/**
 * SHA-1 (FIPS 180-4) of four messages of one block at once: the rounds of one message wait for each other, those of four
 * fill the time. Made of 128-bit instructions, which JavaScript has only in WebAssembly (docs/performance.md).
 */
export class Sha1Lanes {
  readonly #words: Int32Array;
  readonly #digests: Int32Array;
  readonly #run: () => void;

  private constructor({ memory, run }: Exports) {
    this.#words = new Int32Array(memory.buffer, 0, LANES * WORDS);
    this.#digests = new Int32Array(memory.buffer, DIGEST_AT, LANES * START.length);
    this.#run = run;
  }

  /** Null where the processor has no such instructions. */
  static create(): Sha1Lanes | null {
    const bytes = moduleBytes();
    if (!WebAssembly.validate(bytes)) return null;
    return new Sha1Lanes(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports);
  }

  /** Takes the first `length` bytes, at most `SHA1_SHORT`, of a view of at least 56 as the message of lane 0 to 3. */
  take(lane: number, message: DataView, length: number): void {
    const words = this.#words;
    const last = length >>> 2;
    const bits = 8 * (length & 3);
    for (let i = 0; i < last; i++) words[LANES * i + lane] = message.getInt32(4 * i);
    const rest = message.getInt32(4 * last) & ~(-1 >>> bits);
    words[LANES * last + lane] = rest | (0x80000000 >>> bits);
    for (let i = last + 1; i < WORDS - 1; i++) words[LANES * i + lane] = 0;
    words[LANES * (WORDS - 1) + lane] = 8 * length;
  }

  run(): void {
    this.#run();
  }

  /** Copies the five words of a lane's digest. */
  digest(lane: number, into: Int32Array): void {
    for (let i = 0; i < START.length; i++) into[i] = this.#digests[LANES * i + lane];
  }
}

/** A module with a page of memory and one function: blocks at 0, word by word, each of all lanes; digests behind them. */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const body = [1, LOCALS, V128, ...instructions(), 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('run'), 0, 0]),
    ...section(10, [1, ...size(body.length), ...body]),
  ]);
}

const section = (id: number, content: number[]): number[] => [id, ...size(content.length), ...content];
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];

/** Unsigned LEB128. */
function size(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...size(value >>> 7)];
}

function instructions(): number[] {
  const code: number[] = [];
  for (let i = 0; i < WORDS; i++) code.push(...I32_CONST_0, SIMD, 0, 4, ...size(4 * LANES * i), SET, i);
  for (const [i, value] of START.entries()) code.push(...constant(value), SET, STATE + i);
  for (const [i, value] of ROUND_CONSTANTS.entries()) code.push(...constant(value), SET, CONSTANT + i);
  for (let round = 0; round < 80; round++) code.push(...roundOf(round));
  for (const [i, value] of START.entries()) {
    code.push(...I32_CONST_0, GET, STATE + i, ...constant(value), ...ADD);
    code.push(SIMD, 0x0b, 4, ...size(DIGEST_AT + 4 * LANES * i));
  }
  return code;
}

/** The same 32 bits in all lanes. */
function constant(value: number): number[] {
  const bytes = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
  return [SIMD, 0x0c, ...bytes, ...bytes, ...bytes, ...bytes];
}

/** After five rounds every part of the state has its first place again: places are renamed, nothing is moved. */
function roundOf(round: number): number[] {
  const [a, b, c, d, e] = START.map((_, i) => STATE + ((i + 80 - round) % START.length));
  return [
    ...(round < WORDS ? [] : nextWord(round)),
    ...rotated(a, 5),
    ...mixed(Math.floor(round / 20), b, c, d),
    ...[...ADD, GET, e, ...ADD, GET, CONSTANT + Math.floor(round / 20), ...ADD, GET, round % WORDS, ...ADD, SET, e],
    ...[...rotated(b, 30), SET, b],
  ];
}

function nextWord(round: number): number[] {
  const word = (back: number): number[] => [GET, (round - back) % WORDS];
  const sum = [...word(3), ...word(8), ...XOR, ...word(14), ...XOR, ...word(16), ...XOR, SET, BETWEEN];
  return [...sum, ...rotated(BETWEEN, 1), SET, round % WORDS];
}

function rotated(local: number, bits: number): number[] {
  return [GET, local, 0x41, bits, ...SHIFT_LEFT, GET, local, 0x41, 32 - bits, ...SHIFT_RIGHT, ...OR];
}

/** Choice, parity, majority, parity. */
function mixed(part: number, b: number, c: number, d: number): number[] {
  if (part === 0) return [GET, c, GET, d, GET, b, ...SELECT];
  if (part === 2) return [GET, b, GET, c, ...XOR, GET, d, ...AND, GET, b, GET, c, ...AND, ...OR];
  return [GET, b, GET, c, ...XOR, GET, d, ...XOR];
}
