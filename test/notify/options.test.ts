import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import type { Transition } from '../../src/model/alert.ts';
import { channelOptions, createChannels, Router, routeOptions } from '../../src/notify/notify.ts';
import { optionsOf } from './bench.ts';
import { transitionOf } from './transition.ts';

const hook = { name: 'ops', type: 'webhook', url: 'http://127.0.0.1:9000/hook' };
const mail = {
  name: 'mail',
  type: 'email',
  smtp: { host: '127.0.0.1', port: 2525 },
  from: 'w@x.example',
  to: ['noc@x.example'],
};

function issues(input: unknown): string[] {
  const result = channelOptions.safeParse(input);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('channel options', () => {
  it('take the entries of the documentation', () => {
    expect(issues({ ...hook, secret_file: 'secret' })).toEqual([]);
    expect(issues(mail)).toEqual([]);
    expect(
      issues({ ...mail, smtp: { ...mail.smtp, user: 'weir', password_env: 'P' }, from: 'weir <w@x.example>' }),
    ).toEqual([]);
  });

  it.each([
    ['an address with a line break', { ...mail, to: ['a@x.example\r\nBcc: b@x.example'] }, /to\.0/],
    ['no address', { ...mail, from: 'weir' }, /from/],
    ['two addresses in one', { ...mail, to: ['a@x.example, b@x.example'] }, /to\.0/],
    ['credentials in the URL', { ...hook, url: 'http://u:p@127.0.0.1/' }, /credentials/],
    ['another scheme', { ...hook, url: 'file:///etc/passwd' }, /url/],
    ['a header with a line break', { ...hook, headers: { 'X-A': 'b\r\nX-C: d' } }, /headers/],
    ['two secrets', { ...hook, secret: 'a', secret_file: 'b' }, /one of secret, secret_file/],
    ['a password without a user', { ...mail, smtp: { ...mail.smtp, password: 'p' } }, /belong together/],
    ['a user without a password', { ...mail, smtp: { ...mail.smtp, user: 'u' } }, /belong together/],
    ['an unknown key', { ...hook, secrt: 'a' }, /secrt/],
    ['an odd timeout', { ...hook, timeout: 'soon' }, /duration/],
  ])('refuse %s', (_, input, message) => {
    expect(issues(input).join('\n')).toMatch(message);
  });
});

describe('secrets', () => {
  const create = (input: unknown, baseDir: string, env = {}) =>
    createChannels([optionsOf(input)], {
      clock: new ManualClock(),
      metrics: new Metrics(),
      logger: silentLogger(),
      version: '0',
      dashboard: null,
      baseDir,
      env,
    });

  it('come from the first line of a file beside the configuration', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-secret-'));
    writeFileSync(join(folder, 'secret'), 'hush\nmore\n');
    writeFileSync(join(folder, 'empty'), '\n');
    expect(create({ ...hook, secret_file: 'secret' }, folder)).toHaveLength(1);
    expect(() => create({ ...hook, secret_file: 'empty' }, folder)).toThrow(/no secret in empty/);
    expect(() => create({ ...hook, secret_file: 'absent' }, folder)).toThrow(/cannot read/);
    expect(() => create({ ...hook, secret_env: 'ABSENT' }, folder)).toThrow(/environment variable ABSENT/);
  });

  it('and names are unique', () => {
    const twice = [optionsOf(hook), optionsOf(hook)];
    const deps = { clock: new ManualClock(), metrics: new Metrics(), logger: silentLogger(), version: '0' };
    expect(() => createChannels(twice, { ...deps, dashboard: null, baseDir: '/', env: {} })).toThrow(/two channels/);
  });
});

describe('routes', () => {
  const channels = [
    { name: 'ops', groups: false },
    { name: 'mail', groups: true },
  ];
  const router = (...routes: unknown[]) => {
    const made = new Router(
      routes.map((each) => routeOptions.parse(each)),
      channels,
    );
    return {
      targetsFor: (alert: Transition) => made.targetsFor(alert),
      channelsFor: (alert: Transition) => made.targetsFor(alert).map(({ channel }) => channel),
    };
  };
  const alert = transitionOf('a', 0);

  it('send everything everywhere where there are none, but not what is only pending or suppressed', () => {
    expect(router().channelsFor(alert)).toEqual(['ops', 'mail']);
    expect(router().channelsFor({ ...alert, state: 'pending' })).toEqual([]);
    expect(router().channelsFor({ ...alert, state: 'suppressed' })).toEqual([]);
  });

  it.each([
    [{ severity: 'critical' }, true],
    [{ severity: ['info', 'warning'] }, false],
    [{ rule: 'syn-*' }, true],
    [{ rule: ['udp-*', '*-scan'] }, false],
    [{ rule: 'syn.flood' }, false],
    [{ tags: 'attack.*' }, true],
    [{ tags: ['attack.t1110'] }, false],
    [{ key: { 'dst.ip': '192.0.2.0/24' } }, true],
    [{ key: { 'dst.ip': '192.0.2.7' } }, true],
    [{ key: { 'dst.ip': '192.0.3.0/24' } }, false],
    [{ key: { 'src.ip': '0.0.0.0/0' } }, false],
    [{ severity: 'critical', rule: 'other' }, false],
  ])('match %j: %s', (match, matches) => {
    expect(router({ match, to: ['mail'] }).channelsFor(alert)).toEqual(matches ? ['mail'] : []);
  });

  it('add up, each channel once, and choose states', () => {
    const all = router({ to: ['mail'] }, { match: { rule: 'syn-flood' }, to: ['ops', 'mail'] });
    expect(all.channelsFor(alert)).toEqual(['ops', 'mail']);
    expect(router({ to: ['ops'], states: ['pending'] }).channelsFor({ ...alert, state: 'pending' })).toEqual(['ops']);
  });
});
