import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../src/cli/config.ts';
import { configSchema, loadConfig } from '../../src/config.ts';
import { variables } from '../../src/core/env-overrides.ts';
import { readSecret } from '../../src/core/secrets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(text: string, env: Record<string, string> = {}) {
  const file = join(folder, 'weir.yaml');
  writeFileSync(file, text);
  return loadConfig(file, env);
}

describe('variables of the environment', () => {
  it('stand for options: single values, and lists of texts', () => {
    const { config } = load('version: 1\nstore: {path: a}\n', {
      WEIR_STORE_PATH: '/var/lib/weir',
      WEIR_STORE_RETENTION_AGE: '7d',
      WEIR_NETS_HOME: '192.0.2.0/24, 2001:db8::/32',
      WEIR_CHECKPOINT_INTERVAL: '',
      WEIR_LOG_LEVEL: 'debug',
    });
    expect(config?.store).toMatchObject({ path: '/var/lib/weir', retention: { age: '7d' } });
    expect(config?.nets.home).toEqual(['192.0.2.0/24', '2001:db8::/32']);
    expect(config?.checkpoint.interval).toBe('10s');
  });

  it('are named in what is wrong with them, together with what is wrong in the file', () => {
    const { findings } = load('version: 1\nroutes: [{to: [nobody]}]\nnonsense: 1\n', {
      WEIR_CHECKPOINT_INTERVAL: 'soon',
    });
    expect(findings.map(({ message }) => message).join('\n')).toMatch(/WEIR_CHECKPOINT_INTERVAL of the environment/);
    expect(findings.find(({ message }) => message.includes('nonsense'))).toMatchObject({ line: 3, column: 1 });
  });

  it('exist for every single value of the schema', () => {
    const names = [...variables(configSchema()).keys()];
    expect(names).toEqual(
      expect.arrayContaining(['WEIR_STORE_PATH', 'WEIR_HTTP_LISTEN', 'WEIR_RULES', 'WEIR_NETS_HOME']),
    );
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('secrets', () => {
  it('come from the credentials of systemd before the folder of the configuration', () => {
    const credentials = mkdtempSync(join(folder, 'cred-'));
    writeFileSync(join(folder, 'ops'), 'beside\n');
    const env = { CREDENTIALS_DIRECTORY: credentials };
    const read = () => readSecret({ value: undefined, file: 'ops', env: undefined }, { baseDir: folder, env });
    expect(read()).toBe('beside');
    writeFileSync(join(credentials, 'weir_ops'), 'given\nmore\n');
    expect(read()).toBe('given');
  });

  it('are not in what is shown', () => {
    const shown = withoutSecrets({
      http: { listen: 'x', token: 'hush' },
      channels: [
        {
          type: 'webhook',
          url: 'http://a.example/x',
          secret: 'hush',
          secret_file: 'f',
          headers: { Authorization: 'hush' },
        },
        { type: 'chat', url: 'https://hooks.example/services/hush' },
        { smtp: { user: 'u', password: 'hush', password_env: 'P' } },
      ],
      sink: 'postgres://user:hush@db.example/weir',
    });
    expect(JSON.stringify(shown)).not.toContain('hush');
    expect(JSON.stringify(shown)).toContain('"secret_file":"f"');
    expect(shown).toMatchObject({ sink: 'postgres://user:(hidden)@db.example/weir' });
  });
});
