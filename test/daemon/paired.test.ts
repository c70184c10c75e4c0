import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireConfig } from '../../src/config.ts';
import { paired } from '../../src/daemon/paired.ts';
import { loadRules } from '../../src/rule/rule.ts';
import { ROOT } from '../support/replay.ts';

const SOURCES = `
- {name: plain, type: netflow, listen: "127.0.0.1:0"}
- {name: slow, type: netflow, listen: "127.0.0.1:0", pair: 2m}
- {name: never, type: ipfix, listen: "127.0.0.1:0", pair: never}
- {name: samples, type: sflow, listen: "127.0.0.1:0"}
`;

test('records are joined for rules that ask who answered, unless the configuration says otherwise', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'weir-paired-')), 'weir.yaml');
  writeFileSync(path, `version: 1\nsources:${SOURCES}store: {path: state}\n`);
  const config = requireConfig(path);
  const { rules } = loadRules([join(ROOT, 'rules')], {}).rules;
  const pairs = (ids: string[]) =>
    paired(config, { rules: rules.filter(({ id }) => ids.includes(id)) }).map((source) =>
      'pair' in source ? source.pair : undefined,
    );
  expect(pairs(['udp-flood'])).toEqual(['30s', '2m', 'never', undefined]);
  expect(pairs(['scan-vertical', 'syn-flood', 'udp-flood']).slice(0, 1)).toEqual(['30s']);
  expect(pairs([])).toEqual([undefined, '2m', 'never', undefined]);
});
