/** Writes captures for tests, straight from the specifications and independent of the readers. */

export interface Packet {
  /** Units of the clock since the epoch. */
  ticks: bigint;
  data: Uint8Array;
  /** Bytes on the wire; default: those of `data`. */
  wire?: number;
  interface?: number;
}

export interface PcapShape {
  little?: boolean;
  magic?: number;
  linkType?: number;
  snapLength?: number;
  version?: [number, number];
  /** Units a second. */
  units?: bigint;
  /** More bytes behind each record header. */
  extra?: Uint8Array;
  swapLengths?: boolean;
}

class Bytes {
  readonly #parts: Buffer[] = [];
  readonly #little: boolean;

  constructor(little: boolean) {
    this.#little = little;
  }

  u16(...values: number[]): this {
    for (const value of values) {
      const part = Buffer.alloc(2);
      if (this.#little) part.writeUInt16LE(value);
      else part.writeUInt16BE(value);
      this.#parts.push(part);
    }
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) {
      const part = Buffer.alloc(4);
      if (this.#little) part.writeUInt32LE(value);
      else part.writeUInt32BE(value);
      this.#parts.push(part);
    }
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(Buffer.from(bytes));
    return this;
  }

  padded(bytes: Uint8Array): this {
    return this.raw(bytes).raw(new Uint8Array((4 - (bytes.length % 4)) % 4));
  }

  get buffer(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export function writePcap(packets: readonly Packet[], shape: PcapShape = {}): Buffer {
  const { little = true, magic = 0xa1b2c3d4, units = 1_000_000n, version = [2, 4], extra = new Uint8Array(0) } = shape;
  const bytes = new Bytes(little)
    .u32(magic)
    .u16(...version)
    .u32(0, 0, shape.snapLength ?? 262_144, shape.linkType ?? 1);
  for (const { ticks, data, wire = data.length } of packets) {
    const lengths = shape.swapLengths ? [wire, data.length] : [data.length, wire];
    bytes.u32(Number(ticks / units), Number(ticks % units), ...lengths);
    bytes.raw(extra).raw(data);
  }
  return bytes.buffer;
}

export interface Interface {
  linkType?: number;
  snapLength?: number;
  /** if_tsresol as it stands in the file. */
  resolution?: number;
  offsetSeconds?: bigint;
}

/** One section of blocks, in its byte order. */
export class Section {
  readonly #little: boolean;
  readonly #blocks: Buffer[] = [];

  constructor(little = true, options = { major: 1, minor: 0, length: -1n }) {
    this.#little = little;
    const length = Buffer.alloc(8);
    if (little) length.writeBigInt64LE(options.length);
    else length.writeBigInt64BE(options.length);
    const body = new Bytes(little).u32(0x1a2b3c4d).u16(options.major, options.minor).raw(length);
    this.block(0x0a0d0d0a, body.buffer);
  }

  get buffer(): Buffer {
    return Buffer.concat(this.#blocks);
  }

  bytes(): Bytes {
    return new Bytes(this.#little);
  }

  block(type: number, body: Uint8Array): this {
    const total = 12 + Math.ceil(body.length / 4) * 4;
    this.#blocks.push(this.bytes().u32(type, total).padded(body).u32(total).buffer);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#blocks.push(Buffer.from(bytes));
    return this;
  }

  option(code: number, value: Uint8Array): Buffer {
    return this.bytes().u16(code, value.length).padded(value).buffer;
  }

  number64(value: bigint): Buffer {
    const words = [Number((value >> 32n) & 0xffffffffn), Number(value & 0xffffffffn)];
    return this.bytes().u32(...(this.#little ? words.reverse() : words)).buffer;
  }

  interface({ linkType = 1, snapLength = 0, resolution, offsetSeconds }: Interface = {}, shuffled = false): this {
    const options = [
      this.option(2, Buffer.from('eth0')),
      ...(resolution === undefined ? [] : [this.option(9, Uint8Array.of(resolution))]),
      ...(offsetSeconds === undefined ? [] : [this.option(14, this.number64(offsetSeconds))]),
    ];
    if (shuffled) options.reverse();
    const body = this.bytes().u16(linkType, 0).u32(snapLength);
    for (const option of options) body.raw(option);
    return this.block(1, body.u32(0).buffer);
  }

  enhanced({ ticks, data, wire = data.length, interface: id = 0 }: Packet, options: Buffer = Buffer.alloc(0)): this {
    const body = this.bytes().u32(id, Number(ticks >> 32n), Number(ticks & 0xffffffffn), data.length, wire);
    return this.block(6, body.padded(data).raw(options).buffer);
  }

  obsolete({ ticks, data, wire = data.length, interface: id = 0 }: Packet, drops = 0xffff): this {
    const body = this.bytes().u16(id, drops);
    body.u32(Number(ticks >> 32n), Number(ticks & 0xffffffffn), data.length, wire).padded(data);
    return this.block(2, body.buffer);
  }

  simple(data: Uint8Array, wire = data.length): this {
    return this.block(3, this.bytes().u32(wire).padded(data).buffer);
  }

  statistics(id: number, dropsByInterface: bigint, dropsBySystem: bigint): this {
    const body = this.bytes().u32(id, 0, 0);
    body.raw(this.option(5, this.number64(dropsByInterface))).raw(this.option(7, this.number64(dropsBySystem)));
    return this.block(5, body.buffer);
  }
}
