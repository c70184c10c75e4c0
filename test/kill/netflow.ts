import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Records of a datagram. */
export const RECORDS = 30;
const HEADER = 24;
const RECORD = 48;
const UPTIME_MS = 3_600_000;

export interface StoredFlow {
  n: number;
  packets: number;
  bytes: number;
}

/** What record `n` counts. */
export function valuesOf(n: number): { packets: number; bytes: number } {
  return { packets: 1 + (n % 7), bytes: 100 + (n % 1000) };
}

/** NetFlow v5 (header 24, records of 48): datagram `i`, whose records are known by their source address. */
export function netflowV5(i: number, nowMs: number): Buffer {
  const datagram = Buffer.alloc(HEADER + RECORDS * RECORD);
  datagram.writeUInt16BE(5, 0);
  datagram.writeUInt16BE(RECORDS, 2);
  datagram.writeUInt32BE(UPTIME_MS, 4);
  datagram.writeUInt32BE(Math.floor(nowMs / 1000), 8);
  datagram.writeUInt32BE((nowMs % 1000) * 1e6, 12);
  datagram.writeUInt32BE(i * RECORDS, 16);
  for (let k = 0; k < RECORDS; k++) record(datagram, HEADER + k * RECORD, i * RECORDS + k);
  return datagram;
}

function record(datagram: Buffer, at: number, n: number): void {
  const { packets, bytes } = valuesOf(n);
  datagram.writeUInt32BE(0x0a00_0000 + n, at);
  datagram.set([192, 0, 2, 1], at + 4);
  datagram.writeUInt32BE(packets, at + 16);
  datagram.writeUInt32BE(bytes, at + 20);
  datagram.writeUInt32BE(UPTIME_MS - 100, at + 24);
  datagram.writeUInt32BE(UPTIME_MS - 50, at + 28);
  datagram.writeUInt16BE(40_000, at + 32);
  datagram.writeUInt16BE(53, at + 34);
  datagram.writeUInt8(17, at + 38);
}

/** The records that a store has, by number. */
export async function storedFlows(store: string): Promise<StoredFlow[]> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const files = join(store, 'history/flows/*/*/*.parquet');
  const rows = await connection.runAndReadAll(
    `SELECT sourceLow - 281470681743360 AS n, packetDeltaCount, octetDeltaCount FROM read_parquet('${files}')`,
  );
  const flows = rows.getRows().map(([n, packets, bytes]) => ({
    n: Number(n) - 0x0a00_0000,
    packets: Number(packets),
    bytes: Number(bytes),
  }));
  connection.closeSync();
  return flows;
}
