import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MailServer } from '../notify/mail-server.ts';
import { HANG, Receiver } from '../notify/receiver.ts';
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

  it('--until-done ends with 3 when an input was damaged, all good input used', async () => {
    const spool = join(folder, 'spool');
    mkdirSync(spool);
    const whole = readFileSync(join(ROOT, 'fixtures/icmp-flood/capture.pcap'));
    writeFileSync(join(spool, 'cut.pcap'), whole.subarray(0, whole.length - 7));
    writeFileSync(config, readFileSync(config, 'utf8').replace(/path: "[^"]*icmp-flood"/, 'path: spool'));
    const ran = await weir(['run', '-c', config, '--until-done', '--json']);
    expect(ran.code, ran.stderr).toBe(3);
    expect(ran.stderr).toMatch(/cut\.pcap/);
    expect(jsonLines(ran.stdout).map(({ state }) => state)).toEqual(['firing', 'resolved']);
  });

  it('run again, it goes on behind what it has read and tells nothing twice', async () => {
    const first = await weir(['run', '-c', config, '--until-done', '--json']);
    const second = await weir(['run', '-c', config, '--until-done', '--json']);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(second.stdout).toBe('');
    expect(mail.got).toHaveLength(2);
    const alerts = await weir(['alerts', '-c', config, '--json']);
    expect(alerts.stdout).toBe(first.stdout);
  });

  it('prints its status on SIGUSR1; a second SIGTERM ends at once, whatever it waits for', async () => {
    const hook = new Receiver();
    hook.behave = HANG;
    await hook.listen();
    const channel = `channels: [{name: hook, type: webhook, url: "${hook.url}", secret: s, timeout: 1h}]`;
    const changed = readFileSync(config, 'utf8')
      .replace(/^channels: .*$/m, channel)
      .replace(/^digest: .*\n/m, '');
    writeFileSync(config, `${changed}http: {listen: "off"}\n`);
    const args = ['run', '-c', config, '--json', '--drain-timeout', '1h'];
    const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...args], {
      cwd: ROOT,
      env: { ...process.env, WEIR_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    const shows = (what: RegExp): Promise<void> =>
      new Promise((resolve) => {
        const look = () => what.test(text) && resolve();
        child.stderr.on('data', look);
        look();
      });
    child.stderr.on('data', (part: Buffer) => {
      text += part;
    });
    await shows(/source\.started/);
    child.kill('SIGUSR1');
    await shows(/"code":"status".*\n/);
    const lines = text.split('\n').filter((line) => line.startsWith('{'));
    const status = jsonLines(lines.join('\n')).find(({ code }) => code === 'status');
    expect(status).toMatchObject({
      rules: expect.any(Number),
      checkpoint: expect.anything(),
      outbox: expect.anything(),
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await hook.arrived(1);
    child.kill('SIGTERM');
    // Signals that come together are one: the first must have been heard.
    await shows(/"code":"run\.draining"/);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    await hook.close();
  });
});
