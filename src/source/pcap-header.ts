import { canonicalLinkType, maxCapturedLength } from './link-types.ts';

/**
 * The classic capture file (draft-ietf-opsawg-pcap, section 4), and what older writers made of it.
 *
 *     magic 4 | major 2 | minor 2 | zone 4 | sigfigs 4 | snaplen 4 | fcs 4 bits, reserved 12 bits, link type 16 bits
 */
export interface PcapHeader {
  littleEndian: boolean;
  /** The second time field counts nanoseconds. */
  nanoseconds: boolean;
  headerBytes: number;
  recordBytes: number;
  /** Padding before the packet (FDDI frames of AIX). */
  pad: number;
  /** The order of the two length fields: before version 2.3 the wire length came first, in 2.3 it depends. */
  lengths: 'straight' | 'swapped' | 'maybe swapped';
  linkType: number;
  snapLength: number;
}

export interface HeaderProblem {
  code: string;
  message: string;
}

interface Magic {
  nanoseconds: boolean;
  headerBytes: number;
  /** Sizes of the record header that writers with this magic used, the usual one first. */
  recordBytes: readonly number[];
}

/** Red Hat 6.1 (24) and Nokia (20) kept the standard magic; the modified magic is Kuznetzov's, in two states (24, 28). */
const MAGICS = new Map<number, Magic>([
  [0xa1b2c3d4, { nanoseconds: false, headerBytes: 24, recordBytes: [16, 24, 20] }],
  [0xa1b23c4d, { nanoseconds: true, headerBytes: 24, recordBytes: [16] }],
  [0xa1b2cd34, { nanoseconds: false, headerBytes: 24, recordBytes: [24, 28] }],
  [0x1c0001ac, { nanoseconds: true, headerBytes: 28, recordBytes: [16] }],
  [0x1c0001ab, { nanoseconds: false, headerBytes: 28, recordBytes: [16] }],
]);

/** AIX wrote interface types of RFC 1573 in version 2.2 files, with times in nanoseconds. */
const AIX_LINK_TYPES = new Map([
  [6, 1],
  [9, 6],
  [15, 10],
  [24, 0],
]);
const FDDI = 10;
const RECORDS_TO_TRY = 3;
const NOKIA_BYTES = 20;
/** Old Linux had few interfaces, five packet types, and below 0x600 these protocols of its own: loopback, echo, PUP. */
const MAX_INTERFACE = 10_000;
const MAX_PACKET_TYPE = 4;
const OTHER_PROTOCOLS = new Set([0x60, 0x200, 0x400]);

/** True when the four bytes at `at` begin a classic capture. */
export function isPcap(view: DataView, at: number): boolean {
  return MAGICS.has(view.getUint32(at, true)) || MAGICS.has(view.getUint32(at, false));
}

/** Reads the header at `at` of a capture whose bytes go to `end`. */
export function readPcapHeader(view: DataView, at: number, end: number): PcapHeader | HeaderProblem {
  const littleEndian = MAGICS.has(view.getUint32(at, true));
  const magic = MAGICS.get(view.getUint32(at, littleEndian))!;
  if (end - at < magic.headerBytes) return { code: 'capture.truncated', message: 'the file ends inside its header' };
  const major = view.getUint16(at + 4, littleEndian);
  const minor = view.getUint16(at + 6, littleEndian);
  if (major < 2) return { code: 'capture.unsupported', message: `pcap version ${major}.${minor} is not supported` };
  const network = view.getUint32(at + 20, littleEndian);
  const aix = major === 2 && minor === 2 && magic.recordBytes[0] === 16 ? AIX_LINK_TYPES.get(network) : undefined;
  const linkType = canonicalLinkType(aix ?? network & 0xffff);
  const header: PcapHeader = {
    littleEndian,
    nanoseconds: magic.nanoseconds || aix !== undefined,
    headerBytes: magic.headerBytes,
    recordBytes: magic.recordBytes[0],
    pad: aix === FDDI ? 3 : 0,
    lengths: lengthOrder(major, minor),
    linkType,
    snapLength: view.getUint32(at + 16, littleEndian),
  };
  if ((network & 0x03ff0000) !== 0)
    return { code: 'capture.unsupported', message: 'reserved bits of the link type are set' };
  if (aix === undefined && magic.recordBytes.length > 1) {
    header.recordBytes = guessRecordBytes(header, magic.recordBytes, view, at + header.headerBytes, end);
  }
  return header;
}

function lengthOrder(major: number, minor: number): PcapHeader['lengths'] {
  if (major === 543) return 'swapped';
  if (major !== 2 || minor > 3) return 'straight';
  return minor === 3 ? 'maybe swapped' : 'swapped';
}

/**
 * The first size under which the first records look right, else the one with the least wrong in them. A file that is
 * all but right with the usual size (cut short, say) is given to an older writer only when that writer's own fields
 * look right, too.
 */
function guessRecordBytes(
  header: PcapHeader,
  sizes: readonly number[],
  view: DataView,
  at: number,
  end: number,
): number {
  const usual = faults(header, sizes[0], view, at, end);
  let best = sizes[0];
  let least = usual;
  for (const size of sizes.slice(1)) {
    const wrong = faults(header, size, view, at, end);
    if (wrong >= least || (usual === 1 && !looksLikeOldWriter(header, size, view, at, end))) continue;
    least = wrong;
    best = size;
  }
  return best;
}

/** Do the fields that older writers put behind the usual sixteen bytes hold what they should, in the first record? */
function looksLikeOldWriter(header: PcapHeader, size: number, view: DataView, at: number, end: number): boolean {
  if (end - at < size) return false;
  const first = view.getUint32(at + 16, header.littleEndian);
  if (size === NOKIA_BYTES) return isNokiaMark(first);
  const protocol = view.getUint16(at + 20, header.littleEndian);
  const knownProtocol = protocol >= 0x600 || protocol <= 0x17 || OTHER_PROTOCOLS.has(protocol);
  return first <= MAX_INTERFACE && knownProtocol && view.getUint8(at + 22) <= MAX_PACKET_TYPE;
}

/** The four bytes that Nokia's writers left read 0x9fbfb601 with few variations; nobody said what they mean. */
function isNokiaMark(word: number): boolean {
  const ends = word & 15;
  return (
    (word & 0xdfff00f0) >>> 0 === 0x9fbf0000 &&
    (ends === 1 || ends === 2) &&
    [0xb000, 0xd000].includes(word & 0xf000) &&
    [0x600, 0x900].includes(word & 0xf00)
  );
}

/** How much looks wrong when record headers have this size: what is wrong with the first bad one of three. */
function faults(header: PcapHeader, size: number, view: DataView, from: number, end: number): number {
  let at = from;
  for (let record = 0; record < RECORDS_TO_TRY && at < end; record++) {
    if (end - at < size) return 1;
    const wrong = recordFaults(header, view, at);
    if (wrong > 0) return wrong;
    at += size + recordLengths(header, view, at).captured;
    if (at > end) return 1;
  }
  return 0;
}

function recordFaults(header: PcapHeader, view: DataView, at: number): number {
  const fraction = view.getUint32(at + 4, header.littleEndian);
  const { captured, wire } = recordLengths(header, view, at);
  return (
    Number(fraction >= 1_000_000) +
    Number(captured > maxCapturedLength(header.linkType)) +
    Number(captured > header.snapLength) +
    Number(captured > wire) +
    Number(wire > 128 << 20)
  );
}

function recordLengths(header: PcapHeader, view: DataView, at: number): { captured: number; wire: number } {
  const first = view.getUint32(at + 8, header.littleEndian);
  const second = view.getUint32(at + 12, header.littleEndian);
  const swap = header.lengths === 'swapped' || (header.lengths === 'maybe swapped' && first > second);
  return swap ? { captured: second, wire: first } : { captured: first, wire: second };
}
