import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MailServer } from '../notify/mail-server.ts';
import { jsonLines, weir } from '../support/cli.ts';
import { ROOT } from '../support/replay.ts';

let folder = '';
let mail: MailServer;
let config = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-run-'));
  mail = new MailServer();
  const port = await mail.listen();
  config = join(folder, 'weir.yaml');
  writeFileSync(
    config,
    `version: 1
sources: [{name: lab, type: directory, path: ${JSON.stringify(join(ROOT, 'fixtures/icmp-flood'))}, pattern: "*.pcap*"}]
nets: {home: [192.0.2.0/24, "2001:db8:1::/48"]}
channels: [{name: mail, type: email, smtp: {host: 127.0.0.1, port: ${port}}, from: weir@weir.example, to: [noc@weir.example]}]
digest: {schedule: "* * * * * *", to: [mail]}
`,
  );
});
afterEach(async () => {
  await mail.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('weir run', () => {
  it('--until-done: reads the sources, delivers, and ends', async () => {
    const ran = await weir(['run', '-c', config, '--until-done', '--json']);
    expect(ran.code, ran.stderr).toBe(0);
    expect(jsonLines(ran.stdout).map(({ rule, state }) => `${rule} ${state}`)).toEqual([
      'icmp-flood firing',
      'icmp-flood resolved',
    ]);
    expect(mail.got).toHaveLength(2);
    expect(mail.got[1].mail.inReplyTo).toBe(mail.got[0].mail.messageId);
  });

  it('goes on with the digest when it is due, and ends in order on SIGTERM', async () => {
    const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '-c', config, '--json'], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await mail.arrived(({ mail: { subject } }) => /daily report/i.test(String(subject)));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
