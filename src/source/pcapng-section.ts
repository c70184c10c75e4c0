import type { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo } from '../model/packet-reader.ts';
import { linkTypeName } from './link-types.ts';
import { CaptureInterface } from './pcapng-interface.ts';
import { skipNameRecords } from './pcapng-names.ts';
import { anyOption, type OptionVisitor, readInt64, readUint64, walkOptions } from './pcapng-options.ts';
import { emptyInfo } from './record-parser.ts';

export const SECTION_HEADER = 0x0a0d0d0a;
export const INTERFACE = 1;
export const PACKET = 2;
export const SIMPLE_PACKET = 3;
export const NAMES = 4;
export const STATISTICS = 5;
export const ENHANCED_PACKET = 6;
export const SECRETS = 10;

const MAX_INTERFACES = 65_536;
const MICROSECONDS = 6;

/** Lengths of packet options that have one length only. */
const PACKET_OPTION_BYTES = new Map([
  [2, 4],
  [4, 8],
  [5, 8],
  [6, 4],
]);
const PACKET_DROP_COUNT = 4;
const PACKET_VERDICT = 7;
const UNKNOWN_DROPS = 0xffff;
const IF_RESOLUTION = 9;
const IF_TIME_OFFSET = 14;
const ISB_INTERFACE_DROPS = 5;
const ISB_SYSTEM_DROPS = 7;

/** Says what is wrong with a block's body, or null; `from` and `to` bound the body. */
type Body = (view: DataView, from: number, to: number, batch: PacketBatch) => string | null;

/** What the blocks of a capture mean: interfaces of the present section, packets, losses. */
export class PcapngSection {
  readonly info: CaptureInfo = emptyInfo();
  untimed = 0;
  littleEndian = true;
  interfaces: CaptureInterface[] = [];
  readonly #bodies: ReadonlyMap<number, Body>;
  /** Made once: packets with options may be all there are. */
  readonly #packetOption: OptionVisitor = (code, at, length, view) => {
    const fixed = PACKET_OPTION_BYTES.get(code);
    if (fixed !== undefined && length !== fixed) return `packet option ${code} has ${length} bytes, not ${fixed}`;
    if (code === PACKET_VERDICT) return verdictProblem(view, at, length);
    if (code === PACKET_DROP_COUNT) this.#lost(readUint64(view, at, this.littleEndian));
    return null;
  };
  readonly #linkTypes = new Set<number>();
  #statisticsDrops: number | null = null;
  #packetDrops: number | null = null;

  constructor() {
    this.info.format = 'pcapng';
    this.#bodies = new Map<number, Body>([
      [SECTION_HEADER, (view, from, to) => this.#sectionHeader(view, from, to)],
      [INTERFACE, (view, from, to) => this.#interface(view, from, to)],
      [PACKET, (view, from, to, batch) => this.#obsoletePacket(view, from, to, batch)],
      [SIMPLE_PACKET, (view, from, to, batch) => this.#simplePacket(view, from, to, batch)],
      [NAMES, (view, from, to) => this.#names(view, from, to)],
      [STATISTICS, (view, from, to) => this.#statistics(view, from, to)],
      [ENHANCED_PACKET, (view, from, to, batch) => this.#enhancedPacket(view, from, to, batch)],
      [SECRETS, (view, from, to) => this.#secrets(view, from, to)],
    ]);
  }

  /** Takes a block's body; blocks of other kinds mean nothing to weir and are left out. */
  take(type: number, view: DataView, from: number, to: number, batch: PacketBatch): string | null {
    return this.#bodies.get(type)?.(view, from, to, batch) ?? null;
  }

  /** Section 4.1: `magic 4 | major 2 | minor 2 | section length 8 | options`. The section's length is not relied on. */
  #sectionHeader(view: DataView, from: number, to: number): string | null {
    this.info.byteOrder ??= this.littleEndian ? 'little' : 'big';
    this.interfaces = [];
    return walkOptions(view, from + 16, to, this.littleEndian, anyOption);
  }

  /** Section 4.2: `link type 2 | reserved 2 | snap length 4 | options`. */
  #interface(view: DataView, from: number, to: number): string | null {
    if (this.info.interfaces === MAX_INTERFACES) return `more than ${MAX_INTERFACES} interfaces`;
    const little = this.littleEndian;
    let resolution = MICROSECONDS;
    let offset = 0;
    const problem = walkOptions(view, from + 8, to, little, (code, at, length) => {
      if (code === IF_RESOLUTION && length === 1) resolution = view.getUint8(at);
      if (code === IF_TIME_OFFSET && length === 8) offset = readInt64(view, at, little);
      return null;
    });
    if (problem !== null) return problem;
    const linkType = view.getUint16(from, little);
    const snapLength = view.getUint32(from + 4, little);
    const added = new CaptureInterface(this.info.interfaces, linkType, snapLength, resolution, offset);
    this.interfaces.push(added);
    this.#describe(added);
    return null;
  }

  #describe(added: CaptureInterface): void {
    const { info } = this;
    info.interfaces++;
    if (this.#linkTypes.has(added.linkType)) return;
    this.#linkTypes.add(added.linkType);
    info.linkTypes.push(linkTypeName(added.linkType));
  }

  /** Section 4.3: `interface 4 | time high 4 | time low 4 | captured 4 | wire 4 | packet | options`. */
  #enhancedPacket(view: DataView, from: number, to: number, batch: PacketBatch): string | null {
    return this.#timedPacket(view.getUint32(from, this.littleEndian), view, from, to, batch);
  }

  /** Appendix A: as the enhanced block, with `interface 2 | drops 2` in the place of its interface. */
  #obsoletePacket(view: DataView, from: number, to: number, batch: PacketBatch): string | null {
    const drops = view.getUint16(from + 2, this.littleEndian);
    if (drops !== UNKNOWN_DROPS) this.#lost(drops);
    return this.#timedPacket(view.getUint16(from, this.littleEndian), view, from, to, batch);
  }

  #timedPacket(id: number, view: DataView, from: number, to: number, batch: PacketBatch): string | null {
    const little = this.littleEndian;
    if (id >= this.interfaces.length) return `packet of interface ${id}, of which nothing was said`;
    const captured = view.getUint32(from + 12, little);
    const source = this.interfaces[id];
    if (captured > source.maxLength) return `a packet claims ${captured} captured bytes`;
    const packetEnd = from + 20 + captured;
    if (packetEnd > to) return `a packet of ${captured} bytes reaches past its block`;
    const options = from + 20 + ((captured + 3) & ~3);
    const problem = walkOptions(view, options, to, little, this.#packetOption);
    if (problem !== null) return problem;
    const n = batch.length;
    source.setTime(batch.timeUs, batch.nanos, n, view.getUint32(from + 4, little), view.getUint32(from + 8, little));
    if (Number.isNaN(batch.timeUs[n])) this.untimed++;
    if (source.digits === 9) this.info.timeDigits = 9;
    this.#add(source, from + 20, captured, view.getUint32(from + 16, little), batch);
    return null;
  }

  /** Section 4.4: `wire 4 | packet`, cut at the snap length of the section's first interface. It has no time. */
  #simplePacket(view: DataView, from: number, to: number, batch: PacketBatch): string | null {
    if (this.interfaces.length === 0) return 'a simple packet before any interface';
    const source = this.interfaces[0];
    const wire = view.getUint32(from, this.littleEndian);
    const captured = source.snapLength > 0 ? Math.min(wire, source.snapLength) : wire;
    if (captured > source.maxLength) return `a packet claims ${captured} captured bytes`;
    if (from + 4 + ((captured + 3) & ~3) !== to) return 'a simple packet and its block differ in length';
    batch.timeUs[batch.length] = Number.NaN;
    batch.nanos[batch.length] = 0;
    this.untimed++;
    this.#add(source, from + 4, captured, wire, batch);
    return null;
  }

  #add(source: CaptureInterface, offset: number, captured: number, wire: number, batch: PacketBatch): void {
    const n = batch.length++;
    batch.offset[n] = offset;
    batch.capturedLength[n] = captured;
    batch.wireLength[n] = wire;
    batch.linkType[n] = source.linkType;
    batch.ingressInterface[n] = source.index;
  }

  #lost(packets: number): void {
    this.#packetDrops = (this.#packetDrops ?? 0) + packets;
    this.info.drops = this.#statisticsDrops ?? this.#packetDrops;
  }

  /** Section 4.5; after the names stand options. */
  #names(view: DataView, from: number, to: number): string | null {
    const options = skipNameRecords(view, from, to, this.littleEndian);
    if (typeof options === 'string') return options;
    return walkOptions(view, options, to, this.littleEndian, anyOption);
  }

  /** Section 4.6: `interface 4 | time 8 | options`. Counters run from the capture's start, so the last ones count. */
  #statistics(view: DataView, from: number, to: number): string | null {
    const little = this.littleEndian;
    const source = this.interfaces[view.getUint32(from, little)];
    return walkOptions(view, from + 12, to, little, (code, at, length) => {
      if (source === undefined || length !== 8) return null;
      if (code === ISB_INTERFACE_DROPS) {
        const drops = readUint64(view, at, little);
        this.#counted(drops - source.dropsByInterface);
        source.dropsByInterface = drops;
      } else if (code === ISB_SYSTEM_DROPS) {
        const drops = readUint64(view, at, little);
        this.#counted(drops - source.dropsBySystem);
        source.dropsBySystem = drops;
      }
      return null;
    });
  }

  #counted(more: number): void {
    this.#statisticsDrops = (this.#statisticsDrops ?? 0) + more;
    this.info.drops = this.#statisticsDrops;
  }

  /** Section 4.7: `type 4 | length 4 | secrets | options`. */
  #secrets(view: DataView, from: number, to: number): string | null {
    const length = view.getUint32(from + 4, this.littleEndian);
    if (length > to - from - 8) return 'secrets reach past their block';
    return walkOptions(view, from + 8 + ((length + 3) & ~3), to, this.littleEndian, anyOption);
  }
}

/** A verdict's first byte names its kind; those of the kernel's filters (1, 2) hold 8 more. */
function verdictProblem(view: DataView, at: number, length: number): string | null {
  if (length < 1) return 'an empty verdict option';
  const kind = view.getUint8(at);
  return (kind === 1 || kind === 2) && length !== 9 ? `a verdict option of kind ${kind} has ${length} bytes` : null;
}
