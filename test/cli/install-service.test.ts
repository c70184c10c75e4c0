import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeOf, serviceFiles, writeServiceFile } from '../../src/cli/service-files.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weir-service-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const COMMAND = ['/opt/my weir/node', '/opt/100%/main.js'];

function install(capture = false): string[] {
  const files = serviceFiles({ command: COMMAND, capture });
  const changes = files.map((file) => `${changeOf(file, root)} ${file.path}`);
  for (const file of files) if (['create', 'update'].includes(changeOf(file, root))) writeServiceFile(file, root);
  return changes;
}

describe('the files of the service', () => {
  it('are written once; a second time changes nothing', () => {
    expect(install().every((line) => line.startsWith('create '))).toBe(true);
    expect(install().every((line) => line.startsWith('unchanged '))).toBe(true);
    expect(readdirSync(join(root, 'etc/systemd/system')).sort()).toEqual(['weir.service', 'weir@.service']);
  });

  it('bring a changed unit up to date and leave the configuration to its owner', () => {
    install();
    writeFileSync(join(root, 'etc/systemd/system/weir.service'), 'old');
    writeFileSync(join(root, 'etc/weir/weir.yaml'), 'mine');
    const changes = install(true);
    expect(changes).toContain('update /etc/systemd/system/weir.service');
    expect(changes).toContain('keep /etc/weir/weir.yaml');
    expect(changes).toContain('create /etc/systemd/system/weir.service.d/capture.conf');
    expect(readFileSync(join(root, 'etc/weir/weir.yaml'), 'utf8')).toBe('mine');
  });

  it('start this installation, its words quoted for systemd', () => {
    install();
    const unit = readFileSync(join(root, 'etc/systemd/system/weir.service'), 'utf8');
    expect(unit).toContain('ExecStart="/opt/my weir/node" /opt/100%%/main.js run -c /etc/weir/weir.yaml\n');
  });

  it('differ between weir and an instance of it in names only', () => {
    const [one, many] = serviceFiles({ command: COMMAND, capture: false }).map(({ text }) => text);
    const named = many.replaceAll(/(?:\/|-| \()%i\)?/g, '').replace('/etc/weir.yaml', '/etc/weir/weir.yaml');
    expect(named).toBe(one);
  });

  it('give capabilities in the drop-in only', () => {
    const files = serviceFiles({ command: COMMAND, capture: true });
    const capable = files.filter(({ text }) => /CAP_NET_/.test(text)).map(({ path }) => path);
    expect(capable).toEqual(['/etc/systemd/system/weir.service.d/capture.conf']);
  });
});
