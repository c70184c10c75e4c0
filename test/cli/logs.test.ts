import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FlowObject } from '../../src/model/flow-fields.ts';
import { jsonLines, weir } from '../support/cli.ts';

const HEADER =
  '#separator \\x09\n#unset_field\t-\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_pkts\torig_ip_bytes\n';
const row = (n: number): string => `140000000${n}.500000\t192.0.2.1\t1024\t198.51.100.2\t53\tudp\t${n}\t${100 * n}\n`;
const LOG = HEADER + row(1) + row(2) + row(3);

let folder: string;
const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
});

describe('logs on the command line', () => {
  it('weir flows prints the rows of a file, of gzip and of standard input', async () => {
    const plain = file('conn.log', LOG);
    const zipped = file('conn.log.gz', gzipSync(LOG));
    for (const [path, input] of [[plain], [zipped], ['-', Buffer.from(LOG)]] as const) {
      const { code, stdout } = await weir(['flows', path, '--json'], { input });
      expect(code).toBe(0);
      expect(jsonLines<FlowObject>(stdout).map((flow) => [flow.file, flow.packetDeltaCount])).toEqual(
        [1, 2, 3].map((n) => [path, n]),
      );
    }
  });

  it('a cut last row is exit 3, no log is exit 4', async () => {
    const cut = await weir(['flows', file('cut.log', LOG.slice(0, -8)), '--json']);
    expect(cut.code).toBe(3);
    expect(jsonLines(cut.stdout).length).toBe(2);
    expect(cut.stderr).toContain('line 6');
    expect((await weir(['replay', file('cut2.log', LOG.slice(0, -8)), '--json'])).code).toBe(3);
    expect((await weir(['flows', file('none.log', 'no log at all\n'), '--json'])).code).toBe(4);
  });

  it('weir replay takes logs through the pipeline', async () => {
    const rows = Array.from(
      { length: 400 },
      (_, n) => `1400000000.${String(n).padStart(6, '0')}\t192.0.2.1\t1024\t198.51.100.${n % 250}\t${n}\ttcp\t1\t40\n`,
    );
    const rule = file(
      'r.yaml',
      'version: 1\nrules:\n- id: many\n  title: many\n  match: proto tcp\n  by: [src.ip]\n  window: 10s\n  measure: {n: count(flows)}\n  when: {warning: n >= 400}\n',
    );
    const { code, stdout } = await weir([
      'replay',
      file('many.log', HEADER + rows.reverse().join('')),
      '--rules',
      rule,
      '--json',
    ]);
    expect(code).toBe(0);
    expect(jsonLines(stdout)[0]).toMatchObject({ rule: 'many', state: 'firing', key: { 'src.ip': '192.0.2.1' } });
  });
});

describe('weir doctor', () => {
  it('has an answer for each check, and exit 1 for a wrong configuration', async () => {
    const config = file(
      'weir.yaml',
      `version: 1\nsources: [{name: zeek, type: log, path: not-there.log}]\nhttp: {listen: "127.0.0.1:1"}\n`,
    );
    const { stdout } = await weir(['doctor', '-c', config, '--json']);
    const checks = jsonLines<{ check: string; level: string }>(stdout);
    expect(checks.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['config', 'runtime', 'receive buffer', 'clock', 'store', 'disk', 'daemon']),
    );
    expect(checks.find(({ check }) => check === 'log zeek')?.level).toBe('warning');
    expect((await weir(['doctor', '-c', file('bad.yaml', 'version: 2\n')])).code).toBe(1);
  });
});
