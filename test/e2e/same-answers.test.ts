import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { weir } from '../support/cli.ts';
import { ROOT } from '../support/replay.ts';

/** Replay equals replay: however a capture comes in, the alert lines are the same, byte for byte. */
const HOME = ['--home', '192.0.2.0/24,2001:db8:1::/48'];
const fixture = (path: string): string => join(ROOT, 'fixtures', path);
const FILES = ['scan-horizontal/capture.pcap', 'icmp-flood/capture.pcap', 'ping-sweep/capture.pcap'].map(fixture);

async function alerts(args: string[], input?: Uint8Array): Promise<string> {
  const ran = await weir(['replay', ...args, ...HOME, '--json'], { input });
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stdout).not.toBe('');
  return ran.stdout;
}

describe('the same alert lines', () => {
  it('at full speed twice, at 30x, and from standard input, plain and gzip', async () => {
    const [, capture] = FILES;
    const plain = await alerts([capture]);
    expect(await alerts([capture])).toBe(plain);
    expect(await alerts([capture, '--speed', '30x'])).toBe(plain);
    expect(await alerts(['-'], readFileSync(capture))).toBe(plain);
    expect(await alerts(['-'], gzipSync(readFileSync(capture)))).toBe(plain);
  });

  it('read by pcap-parser', async () => {
    const [capture] = FILES;
    expect(await alerts([capture, '--reader', 'pcap-parser'])).toBe(await alerts([capture]));
  });

  it('read and metered on a thread of its own, with the home nets given or learned, DNS names in them', async () => {
    const files = [...FILES, fixture('dns-tunnel/capture.pcap')];
    expect(await alerts([...files, '--workers', '1'])).toBe(await alerts([...files, '--workers', '0']));
    const learned = async (workers: string) =>
      (await weir(['replay', ...files, '--json', '--workers', workers])).stdout;
    for (const workers of ['1', '2', '4']) expect(await learned(workers)).toBe(await learned('0'));
    expect((await weir(['replay', ...files, '--workers', '99'])).code).toBe(2);
  });

  it('and there are as many threads as are asked for', async () => {
    const tell = `data:text/javascript,process.on('worker', () => process.stderr.write('a thread began\\n'))`;
    const threads = async (workers: string): Promise<number> => {
      const env = { NODE_OPTIONS: `--import ${JSON.stringify(tell)}` };
      const ran = await weir(['replay', FILES[0], ...HOME, '--json', '--workers', workers], { env });
      return ran.stderr.split('a thread began').length - 1;
    };
    expect([await threads('0'), await threads('1'), await threads('3')]).toEqual([0, 1, 3]);
  });

  it('in whatever order the files are named', async () => {
    const inOrder = await alerts(FILES);
    expect(await alerts([FILES[2], FILES[0], FILES[1]])).toBe(inOrder);
    expect(await alerts([FILES[1], FILES[2], FILES[0]])).toBe(inOrder);
  });
});

describe('exit codes of replay', () => {
  it('are those of damaged input on a thread of its own, too', async () => {
    const missing = await weir(['replay', '/does/not/exist.pcap', '--json', '--workers', '1']);
    expect([missing.code, missing.stderr.includes('exist.pcap')]).toEqual([4, true]);
    expect((await weir(['replay', FILES[0], '--rules', '/does/not/exist', '--workers', '1'])).code).toBe(2);
  });

  it('2 for wrong usage, 4 when nothing could be read, 3 when some input was damaged', async () => {
    expect((await weir(['replay'])).code).toBe(2);
    expect((await weir(['replay', '--speed', 'fast', FILES[0]])).code).toBe(2);
    expect((await weir(['replay', '/does/not/exist.pcap', '--json'])).code).toBe(4);
    const cut = readFileSync(FILES[0]);
    const ran = await weir(['replay', '-', '--json', ...HOME], { input: cut.subarray(0, cut.length - 7) });
    expect([ran.code, /at byte \d+/.test(ran.stderr)]).toEqual([3, true]);
  });
});
