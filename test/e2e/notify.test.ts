import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Transition } from '../../src/model/alert.ts';
import { CERT_FILE, MailServer } from '../notify/mail-server.ts';
import { Receiver, status } from '../notify/receiver.ts';
import { jsonLines, weir } from '../support/cli.ts';
import { ROOT } from '../support/replay.ts';

let folder = '';
let mail: MailServer;
let hook: Receiver;
let mailPort = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-e2e-'));
  mail = new MailServer({ authOptional: false });
  mailPort = await mail.listen();
  hook = new Receiver();
  await hook.listen();
});
afterEach(async () => {
  await mail.close();
  await hook.close();
  rmSync(folder, { recursive: true, force: true });
});

function writeConfig(): string {
  const path = join(folder, 'weir.yaml');
  writeFileSync(join(folder, 'secret'), 'sesame\n');
  writeFileSync(
    path,
    `version: 1
sources:
- {name: lab, type: capture, path: ${JSON.stringify(join(ROOT, 'fixtures/syn-flood/capture.pcap*'))}}
nets: {home: [192.0.2.0/24, "2001:db8:1::/48"]}
store: {path: state/}
channels:
- {name: ops, type: webhook, url: "${hook.url}", secret_file: secret}
- {name: mail, type: email, from: weir@weir.example, to: [noc@weir.example],
   smtp: {host: 127.0.0.1, port: ${mailPort}, tls: starttls, ca_file: ${JSON.stringify(CERT_FILE)}, servername: localhost, user: weir, password: hush}}
routes: [{to: [ops, mail]}]
`,
  );
  return path;
}

describe('weir replay -c weir.yaml --notify', () => {
  it('delivers every alert once, by mail (STARTTLS, auth) and by signed webhook, over a receiver that fails first', async () => {
    hook.behave = (response, request, n) =>
      n === 0 ? status(503, { 'retry-after': '0' })(response, request, n) : response.end('ok');
    const config = writeConfig();
    const ran = await weir(['replay', '-c', config, '--notify', '--json']);
    expect(ran.code, ran.stderr).toBe(0);
    const alerts = jsonLines<Transition>(ran.stdout).filter(
      ({ state }) => state !== 'pending' && state !== 'suppressed',
    );
    expect(alerts.length).toBeGreaterThan(0);
    const keys = alerts.map(({ idempotencyKey }) => idempotencyKey);

    const delivered = hook.got.slice(1);
    expect(new Set(delivered.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set(keys));
    expect(delivered).toHaveLength(keys.length);
    for (const { body, headers } of hook.got) {
      const signature = createHmac('sha256', 'sesame').update(body).digest('hex');
      expect(headers['x-weir-signature']).toBe(`sha256=${signature}`);
    }
    expect(
      hook.got.filter((r) => r.headers['idempotency-key'] === hook.got[0].headers['idempotency-key']),
    ).toHaveLength(2);
    expect(delivered[0].json).toMatchObject({ version: '1', receiver: 'ops' });

    expect(mail.got).toHaveLength(keys.length);
    expect(mail.got.every(({ secure, user }) => secure && user === 'weir')).toBe(true);
    expect(new Set(mail.got.map((received) => received.mail.messageId))).toEqual(
      new Set(keys.map((key) => `<${key}@weir.example>`)),
    );

    const again = await weir(['replay', '-c', config, '--notify', '--json']);
    expect(again.stdout).toBe(ran.stdout);
    expect(mail.got).toHaveLength(keys.length);
    expect(hook.got).toHaveLength(keys.length + 1);

    const stored = await weir(['alerts', '-c', config, '--json']);
    expect(stored.stdout).toBe(ran.stdout);
    const flows = await weir(['query', '-c', config, 'dst ip 192.0.2.80', '--by', 'dst.port', '--top', '1', '--json']);
    expect(jsonLines(flows.stdout)[0]).toMatchObject({ key: { 'dst.port': 80 } });
  });
});
