import { Metrics } from '../../src/core/metrics.ts';
import { Decoder, type DecoderOptions } from '../../src/decode/decode.ts';
import { formatAddress } from '../../src/model/address.ts';
import { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import * as R from '../../src/model/packet-rows.ts';

/** Bytes from hex; blanks and line ends are for the reader. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

export interface Frame {
  bytes: Uint8Array;
  linkType?: number;
  wireLength?: number;
  timeUs?: number;
}

/** A batch of frames that stand one behind the other in one block, with foreign bytes before and behind. */
export function batchOf(frames: Frame[]): PacketBatch {
  const batch = new PacketBatch(Math.max(1, frames.length));
  const data = new Uint8Array(frames.reduce((sum, frame) => sum + frame.bytes.length + 3, 3)).fill(0xa5);
  let at = 3;
  for (const [i, frame] of frames.entries()) {
    data.set(frame.bytes, at);
    batch.offset[i] = at;
    batch.capturedLength[i] = frame.bytes.length;
    batch.wireLength[i] = frame.wireLength ?? frame.bytes.length;
    batch.linkType[i] = frame.linkType ?? 1;
    batch.timeUs[i] = frame.timeUs ?? i;
    at += frame.bytes.length + 3;
  }
  batch.setData(data);
  batch.length = frames.length;
  return batch;
}

/** A row as a person would write it down. */
export interface ReadableRow {
  src: string | null;
  dst: string | null;
  protocol: number | null;
  ports: string | null;
  icmp: string | null;
  outer: string | null;
  bytes: number;
  wire: number;
  flags: number;
  tos: number;
  vlan: number;
  layers: string;
  meta: number;
  dns: string;
  sni: string;
  identifier: number;
}

export function readRow(rows: R.PacketRows, index: number, names: Names): ReadableRow {
  const { words } = rows;
  const row = index * R.ROW;
  const meta = words[row + R.META];
  const addressed = (meta & (R.HAS_IP | R.IS_ARP)) !== 0;
  const pair = (at: number): string => `${words[at] >>> 16}>${words[at] & 0xffff}`;
  return {
    src: addressed ? formatAddress(words, row + R.SRC) : null,
    dst: addressed ? formatAddress(words, row + R.DST) : null,
    protocol: meta & R.HAS_IP ? meta & 0xff : null,
    ports: meta & R.HAS_PORTS ? pair(row + R.PORTS) : null,
    icmp: meta & R.HAS_ICMP ? `${words[row + R.ICMP] >>> 8}/${words[row + R.ICMP] & 0xff}` : null,
    outer:
      meta & R.HAS_OUTER
        ? `${formatAddress(words, row + R.OUTER_SRC)}>${formatAddress(words, row + R.OUTER_DST)}`
        : null,
    bytes: words[row + R.IP_BYTES] >>> 0,
    wire: words[row + R.WIRE_BYTES] >>> 0,
    flags: words[row + R.FLAGS] & 0xffff,
    tos: words[row + R.FLAGS] >>> 16,
    vlan: words[row + R.VLAN],
    layers: names.layers.text(words[row + R.LAYERS]),
    meta,
    dns: names.names.text(words[row + R.DNS_NAME]),
    sni: names.names.text(words[row + R.SNI]),
    identifier: words[row + R.IDENTIFIER],
  };
}

export interface Decoded {
  rows: ReadableRow[];
  raw: R.PacketRows;
  /** Counters that moved, by cause. */
  causes: Record<string, number>;
  decoder: Decoder;
}

/** Decodes a batch with a fresh decoder. */
export function decodeBatch(batch: PacketBatch, options: Partial<DecoderOptions> = {}): Decoded {
  const metrics = new Metrics();
  const names = options.names ?? new Names();
  const decoder = new Decoder({ ...options, names }, { metrics });
  const raw = new R.PacketRows(Math.max(1, batch.length));
  decoder.decode(batch, 0, batch.length, raw);
  const rows = Array.from({ length: raw.length }, (_, i) => readRow(raw, i, names));
  const causes = Object.fromEntries(
    Object.entries(metrics.snapshot()).flatMap(([name, value]) => {
      const cause = /weir_decode_errors_total\{cause="(.*)"\}/.exec(name)?.[1];
      return cause === undefined ? [] : [[cause, value]];
    }),
  );
  return { rows, raw, causes, decoder };
}

/** Decodes frames with a fresh decoder. */
export function decodeFrames(frames: (Frame | Uint8Array)[], options: Partial<DecoderOptions> = {}): Decoded {
  return decodeBatch(batchOf(frames.map((frame) => (frame instanceof Uint8Array ? { bytes: frame } : frame))), options);
}

/** Limits that are reached soon and tables that are made quickly. */
export const SMALL = { maxFragments: 8, maxAddressNames: 8 };
