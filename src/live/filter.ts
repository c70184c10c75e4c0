import { spawnSync } from 'node:child_process';
import { type BpfProgram, compileWithLibpcap, wrongFilter } from './native.ts';

/** Names by which tcpdump knows link types. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'EN10MB',
  9: 'PPP',
  101: 'RAW',
  105: 'IEEE802_11',
  119: 'PRISM_HEADER',
  127: 'IEEE802_11_RADIO',
};

/** A compiler that takes longer hangs. */
const COMPILE_MS = 10_000;

/** Compiles a filter for a link type: by libpcap, else by `tcpdump -ddd`. Throws `live.filter` for a wrong one. */
export async function compileFilter(filter: string, linkType: number): Promise<BpfProgram> {
  return (await compileWithLibpcap(filter, linkType)) ?? compileWithTcpdump(filter, linkType);
}

/** `-ddd` prints the number of instructions, then `code jt jf k` a line, in decimal. */
export function compileWithTcpdump(filter: string, linkType: number): BpfProgram {
  const { stdout, stderr, error } = spawnSync('tcpdump', ['-ddd', '-y', NAMES[linkType] ?? 'EN10MB', filter], {
    encoding: 'utf8',
    timeout: COMPILE_MS,
  });
  if (error !== undefined) throw wrongFilter(filter, 'neither libpcap nor tcpdump is there to compile it');
  const [count, ...lines] = stdout.trim().split('\n');
  if (lines.length === 0 || Number(count) !== lines.length) throw wrongFilter(filter, stderr.trim());
  const program = new Uint8Array(8 * lines.length);
  const view = new DataView(program.buffer);
  lines.forEach((line, i) => {
    const [code, jumpTrue, jumpFalse, k] = line.split(' ').map(Number);
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, jumpTrue);
    view.setUint8(8 * i + 3, jumpFalse);
    view.setUint32(8 * i + 4, k, true);
  });
  return program;
}
