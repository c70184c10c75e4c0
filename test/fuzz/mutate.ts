import { gzipSync, zstdCompressSync } from 'node:zlib';
import { LINK_TYPES } from '../../src/decode/link-types.ts';
import { Random } from './random.ts';
import type { Seed } from './seeds.ts';

/** A changed capture stays below this. */
const MAX_BYTES = 96 << 10;
const MAX_CHANGES = 6;
/** Changes go here more often than elsewhere: a record's header and the headers of its packet. */
const HEADERS = 120;
const EXTREMES = [0, 1, 3, 4, 7, 8, 19, 20, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x40000, 0x7fffffff, 0x80000000];
const ALL_ONES = 0xffffffff;
const ONE_IN_PLAIN = 12;
const ONE_IN_COMPRESSED = 200;

/** A capture on its way: its bytes and where its records are believed to begin. */
interface Draft {
  bytes: Uint8Array;
  records: number[];
}

type Change = (draft: Draft, random: Random, seeds: readonly Seed[]) => void;

/** One capture of the seeds, changed at random: the same for the same state of `random`. */
export function mutate(seeds: readonly Seed[], random: Random): { name: string; bytes: Uint8Array } {
  const seed = random.pick(seeds);
  const draft: Draft = { bytes: seed.bytes.slice(), records: seed.records.slice() };
  const changes = random.once(ONE_IN_PLAIN) ? 0 : 1 + random.below(MAX_CHANGES);
  for (let i = 0; i < changes && draft.bytes.length > 0; i++) random.pick(CHANGES)(draft, random, seeds);
  const bytes = draft.bytes.length > MAX_BYTES ? draft.bytes.subarray(0, MAX_BYTES) : draft.bytes;
  return { name: seed.name, bytes: random.once(ONE_IN_COMPRESSED) ? compress(bytes, random) : bytes };
}

/** The capture of a case. */
export function mutateCase(seeds: readonly Seed[], seed: number, number: number): Uint8Array {
  return mutate(seeds, new Random(seed, number)).bytes;
}

/** A place in the headers of some record, or anywhere. */
function place({ bytes, records }: Draft, random: Random): number {
  if (records.length === 0 || random.once(4)) return random.below(bytes.length);
  return Math.min(bytes.length - 1, Math.max(0, random.pick(records) + random.below(HEADERS)));
}

const flipBit: Change = (draft, random) => {
  draft.bytes[place(draft, random)] ^= 1 << random.below(8);
};

const setByte: Change = (draft, random) => {
  draft.bytes[place(draft, random)] = random.next();
};

/** What a length field could hold, in either byte order. */
const setField: Change = (draft, random) => {
  const size = random.pick([1, 2, 2, 4, 4]);
  const at = place(draft, random) & (random.once(2) ? ~3 : ~0);
  const value = random.once(3) ? ALL_ONES - random.below(9) : random.pick(EXTREMES);
  const little = random.once(2);
  for (let i = 0; i < size && at + i < draft.bytes.length; i++) {
    draft.bytes[at + i] = value >>> (8 * (little ? i : size - 1 - i));
  }
};

const truncate: Change = (draft, random) => {
  draft.bytes = draft.bytes.subarray(0, random.below(draft.bytes.length));
};

/** The beginning of this capture with the end of another, at a record of both or anywhere. */
const splice: Change = (draft, random, seeds) => {
  const other = random.pick(seeds);
  const here = boundary(draft, random);
  const there = boundary(other, random);
  draft.records = [...draft.records.filter((at) => at < here), ...moved(other.records, there, here - there)];
  draft.bytes = join(draft.bytes.subarray(0, here), other.bytes.subarray(there));
};

function boundary({ bytes, records }: Draft, random: Random): number {
  return records.length === 0 || random.once(4) ? random.below(bytes.length) : random.pick(records);
}

const moved = (records: readonly number[], from: number, by: number): number[] =>
  records.filter((at) => at >= from).map((at) => at + by);

/** Some records once more, up to eight times, behind where they were. */
const repeat: Change = (draft, random) => {
  const [from, to] = stretch(draft, random);
  const times = 1 + random.below(8);
  if (draft.bytes.length + times * (to - from) > MAX_BYTES) return;
  const piece = draft.bytes.slice(from, to);
  draft.bytes = join(
    draft.bytes.subarray(0, to),
    ...Array.from({ length: times }, () => piece),
    draft.bytes.subarray(to),
  );
};

const remove: Change = (draft, random) => {
  const [from, to] = stretch(draft, random);
  draft.bytes = join(draft.bytes.subarray(0, from), draft.bytes.subarray(to));
  draft.records = [...draft.records.filter((at) => at < from), ...moved(draft.records, to, from - to)];
};

const insert: Change = (draft, random) => {
  const at = boundary(draft, random);
  const noise = Uint8Array.from({ length: 1 + random.below(40) }, () => random.next());
  draft.bytes = join(draft.bytes.subarray(0, at), noise, draft.bytes.subarray(at));
};

/** Two boundaries in order, or any two places. */
function stretch(draft: Draft, random: Random): [from: number, to: number] {
  const [a, b] = [boundary(draft, random), boundary(draft, random)];
  return a < b ? [a, b] : [b, a];
}

/** The bytes of a packet of another capture in the place of one here: foreign headers under this link type. */
const transplant: Change = (draft, random, seeds) => {
  const { bytes, records } = random.pick(seeds);
  if (records.length === 0 || draft.records.length === 0) return;
  const from = random.pick(records) + 16;
  const to = Math.min(draft.bytes.length, random.pick(draft.records) + 16);
  draft.bytes.set(bytes.subarray(from, from + Math.min(HEADERS, draft.bytes.length - to)), to);
};

/** Another link type in the header of a classic capture or its like in the first interface. */
const relink: Change = (draft, random) => {
  const at = random.once(2) ? 20 : random.pick([28, 36, 56]);
  const value = random.once(8) ? random.below(320) : random.pick(LINK_TYPES);
  for (const [i, byte] of [value & 0xff, value >>> 8].entries()) {
    if (at + i < draft.bytes.length) draft.bytes[at + (random.once(8) ? 1 - i : i)] = byte;
  }
};

const CHANGES: readonly Change[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setField,
  setField,
  setField,
  setField,
  truncate,
  splice,
  splice,
  repeat,
  remove,
  insert,
  transplant,
  relink,
];

/** Compressed, and then mostly damaged. */
function compress(bytes: Uint8Array, random: Random): Uint8Array {
  const packed = random.once(2) ? gzipSync(bytes, { level: 1 }) : zstdCompressSync(bytes);
  if (random.once(3)) return packed.subarray(0, random.below(packed.length));
  if (random.once(2)) packed[random.below(packed.length)] ^= 1 << random.below(8);
  return packed;
}

function join(...pieces: Uint8Array[]): Uint8Array {
  return Buffer.concat(pieces);
}
