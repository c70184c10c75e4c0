import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePrefix } from '../../src/model/address.ts';
import { loadRules, loadRuleTexts } from '../../src/rule/rule.ts';

const load = (rules: string, head = '') => loadRuleTexts({ 'x.yaml': `version: 1\n${head}rules:\n${rules}` });
const errors = (rules: string, head = '') => load(rules, head).findings.filter(({ level }) => level === undefined);
const RULE = `- id: a
  window: 10s
  by: [dst.ip]
  measure:
    pps: rate(packets)
    srcs: distinct(src.ip)
  when: {warning: pps > 5kpps}
`;

describe('a rule becomes a plan', () => {
  test('with everything resolved', () => {
    const { rules, findings } = load(
      `- id: syn-flood
  title: TCP SYN flood
  match: $inbound and proto tcp
  by: [dst.ip/24|64, src.port]
  window: 10s/5s
  measure:
    pps: rate(packets) where flags S and not flags A
    est: share(flows) where flags A
    top: topk(3, src.ip, bytes)
  when: {warning: pps > $syn_pps, critical: pps > 4 * $syn_pps and est < 20%}
  for: {critical: 10s}
  clear: pps < 0.5 * $syn_pps
  max_keys: {n: 50k, overflow: spacesaving}
  then: {within: 1h, match: bytes > 20k, severity: critical}
  except:
  - {name: own, match: src net 192.0.2.9, reason: ours, until: 2027-01-01}
  evidence: ["topk(10, src.ip, packets)", "flows(20)"]
`,
      'nets: {home: [192.0.2.0/24]}\nmacros: {inbound: dst net $home and not src net $home}\nthresholds: {syn_pps: {default: 5kpps, 192.0.2.0/28: 80kpps, 192.0.2.1: 1kpps}}\n',
    );
    expect(findings).toEqual([]);
    const [plan] = rules.rules;
    expect(rules.home).toEqual([parsePrefix('192.0.2.0/24')]);
    expect(plan.matchText).toBe('dst net 192.0.2.0/24 and not src net 192.0.2.0/24 and proto tcp');
    expect(plan.by).toEqual([
      { field: 'dst.ip', prefix: { ipv4: 24, ipv6: 64 } },
      { field: 'src.port', prefix: null },
    ]);
    expect(plan.window).toEqual({ kind: 'sliding', sizeUs: 10e6, slideUs: 5e6 });
    expect(plan.measures.map(({ unit }) => unit)).toEqual(['pps', 'ratio', 'ratio']);
    expect(plan.measures[0]).toMatchObject({
      fn: 'rate',
      summand: 'packets',
      where: { op: 'flags', mask: 18, value: 2 },
    });
    expect(plan.measures[2]).toMatchObject({ params: { k: 3 }, summand: 'bytes' });
    expect(plan.levels.map(({ severity, forUs }) => [severity, forUs])).toEqual([
      ['warning', 0],
      ['critical', 10e6],
    ]);
    expect(plan.thresholds['syn_pps'].prefixes.map(({ value }) => value)).toEqual([1000, 80000]);
    expect(plan.thresholds['syn_pps']).toMatchObject({ unit: 'pps', default: 5000 });
    expect(plan.follow).toMatchObject({ withinUs: 3600e6, severity: 'critical' });
    expect(plan.except).toMatchObject([{ name: 'own', untilUs: Date.UTC(2027, 0, 1) * 1000 }]);
    expect(plan.evidence).toHaveLength(2);
    expect(plan.maxKeys).toBe(50_000);
    expect(JSON.parse(JSON.stringify(plan.levels))).toEqual(plan.levels);
  });

  test('learned measures', () => {
    const { rules, findings } = load(`- id: up
  by: [exporter, in_if]
  window: 5m
  measure:
    bps: rate(bits)
    z: baseline(bps, season=1d+1w, direction=up, min_dev=20%, warmup=14d)
    full: forecast(bps, reach=0.9*if_speed, quantile=0.95, horizon=30d)
    c: cusum(bps)
  when: {info: full.eta < 30d, warning: z > 4 and bps > 2 * z.expected, critical: c > 10 and bps > 0.9 * if_speed}
`);
    expect(findings).toEqual([]);
    expect(rules.rules[0].measures.slice(1)).toMatchObject([
      {
        fn: 'baseline',
        of: 0,
        params: { season: [86400e6, 604800e6], direction: 'up', min_dev: 0.2, warmup: 14 * 86400e6 },
      },
      { fn: 'forecast', of: 0, params: { quantile: 0.95, horizon: 30 * 86400e6 }, reach: { op: '*' } },
      { fn: 'cusum', of: 0, params: { k: 0.5 } },
    ]);
  });

  test('the scan walk has the parameters of Jung et al.', () => {
    const { rules } = load(RULE.replace('distinct(src.ip)', 'scan(dst.ip, dst.port, keep=6h)'));
    expect(rules.rules[0].measures[1]).toMatchObject({
      params: { t0: 0.8, t1: 0.2, a: 1e-5, b: 0.99, keep: 6 * 3600e6 },
    });
  });

  test('the fingerprint changes with what matters', () => {
    const print = (text: string) => load(text).rules.rules[0].fingerprint;
    expect(print(RULE.replace('- id: a', '- id: a\n  title: T\n  tags: [x]'))).toBe(print(RULE));
    expect(print(RULE.replace('5kpps', '6kpps'))).not.toBe(print(RULE));
    expect(print(RULE.replace('10s', '20s'))).not.toBe(print(RULE));
  });
});

describe('all errors at once, at their places', () => {
  test('in several files', () => {
    const { findings } = loadRuleTexts({
      'b.yaml': 'version: 1\nrules:\n- {id: x, window: 10s, measure: {n: count(rows)}, when: {warning: n > 5pps}}\n',
      'a.yaml': 'version: 2\nnetz: {}\nrules: [{id: Big, window: 10s, measure: {n: sum(bytz)}, when: {}}]\n',
    });
    expect(findings.map(({ file, line, column, code }) => [file, line, column, code])).toEqual([
      ['a.yaml', 1, 10, 'rule.shape'],
      ['a.yaml', 2, 1, 'rule.unknown_key'],
      ['a.yaml', 3, 14, 'rule.shape'],
      ['b.yaml', 3, 71, 'rule.unit'],
    ]);
  });

  test.each([
    ['quoted', '"pps > 10Mbps"', 19],
    ['single quotes', "'pps > 10Mbps'", 19],
    ['plain', 'pps > 10Mbps', 18],
    ['escaped', '"pps\\u0020> 10Mbps"', 24],
  ])('the column points into a %s scalar', (_, scalar, column) => {
    const rule = RULE.replace('  when: {warning: pps > 5kpps}', `  when:\n    warning: ${scalar}`).replace(
      ', srcs: distinct(src.ip)',
      '',
    );
    const [finding] = errors(rule);
    expect(finding).toMatchObject({ line: 10, column: column + 2, code: 'rule.unit' });
    expect(finding.hint).toContain('did you mean 10Mpps');
  });

  test('and into a folded one', () => {
    const rule = RULE.replace(
      '  when: {warning: pps > 5kpps}',
      '  when:\n    warning: >-\n      pps > 5kpps or\n      pps > 10Mbps',
    );
    expect(errors(rule)).toMatchObject([{ line: 12, column: 13 }]);
  });

  test.each<[string, string, string, string | undefined]>([
    ['pps > 5kpps', 'pps > 10Mbps', 'rule.unit', undefined],
    ['pps > 5kpps', 'pps > 5m', 'rule.unit', 'did you mean 5pps?'],
    ['pps > 5kpps', 'srcs > 20%', 'rule.unit', undefined],
    ['pps > 5kpps', 'pps * pps > 5', 'rule.unit', undefined],
    ['pps > 5kpps', 'pps + 5s > 5', 'rule.unit', undefined],
    ['pps > 5kpps', 'pps', 'rule.type', 'compare it: > >= < <= == !='],
    ['pps > 5kpps', 'not 5', 'rule.type', undefined],
    ['pps > 5kpps', 'ppps > 5', 'rule.unknown_name', 'did you mean pps?'],
    ['pps > 5kpps', 'pps > $limit', 'rule.unknown_name', undefined],
    ['pps > 5kpps', 'pps > 5zz', 'rule.unit', undefined],
    ['pps > 5kpps', 'rate(packets) > 5', 'rule.type', 'name it there, then use the name'],
    ['pps > 5kpps', 'pps.eta > 5', 'rule.unknown_name', undefined],
    ['rate(packets)', 'rat(packets)', 'rule.unknown_function', 'did you mean rate?'],
    ['rate(packets)', 'rate(packet)', 'rule.unknown_field', 'did you mean packets?'],
    ['rate(packets)', 'rate(src.ip)', 'rule.unknown_field', undefined],
    ['rate(packets)', 'rate()', 'rule.unknown_field', undefined],
    ['distinct(src.ip)', 'distinct(src.ip/33)', 'rule.prefix', undefined],
    ['distinct(src.ip)', 'distinct(flags)', 'rule.type', undefined],
    ['distinct(src.ip)', 'quantile(2, bytes)', 'rule.argument', undefined],
    ['distinct(src.ip)', 'topk(src.ip)', 'rule.argument', undefined],
    ['distinct(src.ip)', 'scan(dst.ip, kep=5h)', 'rule.argument', 'did you mean keep?'],
    ['distinct(src.ip)', 'scan(dst.ip, keep=5)', 'rule.argument', undefined],
    ['distinct(src.ip)', 'baseline(bps)', 'rule.unknown_name', 'did you mean pps?'],
    ['distinct(src.ip)', 'forecast(pps)', 'rule.argument', undefined],
    [
      'measure:\n    pps: rate(packets)\n',
      'measure: {pps: rate(packets), x: scan(dst.ip, dst.port)}\n  #',
      'rule.shape',
      'inside { } a comma ends the value: put the expression into quotes, or give it a line of its own',
    ],
    ['by: [dst.ip]', 'by: [dst.ipp]', 'rule.unknown_field', 'did you mean dst.ip?'],
    ['by: [dst.ip]', 'by: [bytes]', 'rule.type', undefined],
    ['window: 10s', 'window: 10s/3s', 'rule.window', undefined],
    ['window: 10s', 'window: 500ms', 'rule.window', undefined],
    ['window: 10s', 'window: 10s\n  lateness: 5s', 'rule.lateness', undefined],
    ['window: 10s', 'window: sesion 5m', 'rule.window', undefined],
    ['window: 10s', 'window: 10s\n  for: soon', 'rule.time', 'write 10s, 5m, 6h or 30d'],
    ['window: 10s', 'window: 10s\n  evidence: ["flow(3)"]', 'rule.evidence', 'did you mean flows?'],
    ['window: 10s', 'window: 10s\n  suppresses: [{rules: [b], where: src.ip within key}]', 'rule.type', undefined],
    ['window: 10s', 'window: 10s\n  no_data: maybe', 'rule.shape', 'known: keep, resolve, alert'],
    ['window: 10s', 'window: 10s\n  anotations: {}', 'rule.unknown_key', 'did you mean annotations?'],
    ['window: 10s', 'window: 10s\n  annotations: {summary: "{{srcz}}"}', 'rule.unknown_name', 'did you mean srcs?'],
    ['window: 10s', 'window: 10s\n  max_keys: 0', 'rule.value', undefined],
    ['    pps: rate', '    in: count(rows)\n    pps: rate', 'rule.shape', 'take another name'],
  ])('%s -> %s', (from, to, code, hint) => {
    const found = errors(RULE.replace(from, to)).filter((finding) => finding.code === code);
    expect(found.length).toBeGreaterThan(0);
    if (hint) expect(found.map((finding) => finding.hint)).toContain(hint);
  });

  test('duplicate ids name the first', () => {
    expect(errors(RULE + RULE)).toMatchObject([
      { code: 'rule.duplicate_id', hint: expect.stringContaining('x.yaml:3') },
    ]);
  });

  test('broken YAML, bombs and binary are findings', () => {
    for (const text of ['a: [', 'version: 1\n\trules: x', '\u0000\u0001', '- 1', 'version: 1\nrules: 5', ''])
      expect(loadRuleTexts({ x: text }).findings.length).toBeGreaterThan(0);
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefghi'
      .split('')
      .map((name, i) => `${name}: &${name} [${`*${'abcdefghi'[i]},`.repeat(9)}]`)
      .join('\n')}\n`;
    expect(loadRuleTexts({ x: bomb }).findings.length).toBeGreaterThan(0);
  });
});

describe('lint', () => {
  const two = (warning: string, critical: string, more = '') =>
    errors(
      RULE.replace('when: {warning: pps > 5kpps}', `when: {warning: ${warning}, critical: ${critical}}${more}`),
    ).map(({ code }) => code);

  test('a severity that a stronger one hides', () => {
    expect(two('pps > 5kpps', 'pps > 1kpps')).toEqual(['rule.unreachable']);
    expect(two('pps > 5kpps and srcs > 9', 'srcs > 5 or pps > 9kpps')).toEqual(['rule.unreachable']);
    expect(two('pps > 5kpps', 'pps > 1kpps', '\n  for: {critical: 10s}')).toEqual([]);
    expect(two('pps > 1kpps', 'pps > 5kpps')).toEqual([]);
  });

  test('a condition that cannot hold', () => {
    expect(two('pps > 5kpps and pps < 3kpps', 'pps > 9kpps')).toContain('rule.unreachable');
  });

  test('clear that ends the alert at once', () => {
    expect(errors(`${RULE}  clear: pps > 1kpps\n`)).toMatchObject([{ code: 'rule.clear' }]);
    expect(errors(`${RULE}  clear: pps < 1kpps\n`)).toEqual([]);
  });

  test('a share of what match has filtered', () => {
    const share = (match: string, where: string) =>
      errors(
        RULE.replace('distinct(src.ip)', `share(flows)${where}`).replace('window', `match: ${match}\n  window`),
      ).map(({ code }) => code);
    expect(share('tcp and flags A', ' where flags A')).toEqual(['rule.constant_share']);
    expect(share('tcp and flags S and not flags A', ' where flags S')).toEqual(['rule.constant_share']);
    expect(share('tcp', ' where tcp')).toEqual(['rule.constant_share']);
    expect(share('tcp', '')).toEqual(['rule.constant_share']);
    expect(share('tcp and flags A', ' where not flags A')).toEqual(['rule.never']);
    expect(share('proto in (tcp, udp)', ' where udp')).toEqual([]);
    expect(share('tcp and udp', ' where flags A')).toContain('rule.never');
  });

  test('thresholds nobody uses and rules that are not there are warnings', () => {
    const { findings, rules } = load(`${RULE}  suppresses: [{rules: [b, c-*]}]\n`, 'thresholds: {x: 5}\n');
    expect(rules.rules).toHaveLength(1);
    expect(findings.map(({ code, level }) => [code, level])).toEqual([
      ['rule.unused', 'warning'],
      ['rule.unknown_rule', 'warning'],
      ['rule.unknown_rule', 'warning'],
    ]);
  });
});

describe('several files', () => {
  const base = {
    'lib/_common.yaml': 'version: 1\nmacros: {web: tcp and dst port 80}\nthresholds: {pps: 5kpps}\n',
    'lib/a.yaml': `version: 1\nrules:\n${RULE.replace('5kpps', '$pps').replace('window', 'match: $web\n  window')}`,
  };

  test('common names serve the folder and what lies below', () => {
    expect(loadRuleTexts(base).findings).toEqual([]);
    expect(loadRuleTexts({ ...base, 'lib/b/c.yaml': base['lib/a.yaml'].replace('id: a', 'id: c') }).findings).toEqual(
      [],
    );
    expect(
      loadRuleTexts({ ...base, 'other/c.yaml': base['lib/a.yaml'].replace('id: a', 'id: c') }).findings.map(
        ({ code }) => code,
      ),
    ).toEqual(['rule.unknown_name', 'rule.unknown_name']);
  });

  test('an override changes single slots, and exceptions add up', () => {
    const local = `version: 1
nets: {friends: [203.0.113.0/24]}
override:
  id: a
  thresholds: {pps: {192.0.2.0/24: 9kpps}}
  min_samples: 10
  except: [{name: friends, match: src net $friends}]
`;
    const { rules, findings } = loadRuleTexts({ ...base, 'local.yaml': local });
    expect(findings).toEqual([]);
    const [plan] = rules.rules;
    expect(plan.thresholds['pps']).toMatchObject({ default: 5000, prefixes: [{ value: 9000 }] });
    expect(plan.minSamples).toBe(10);
    expect(plan.except).toMatchObject([{ name: 'friends', untilUs: Number.POSITIVE_INFINITY }]);
  });

  test('errors of an override stand in its file', () => {
    const local =
      'version: 1\noverride:\n- {id: a, thresholds: {pps: 9kbps, nope: 3}}\n- {id: aa, enabled: false}\n- {id: a, when: {warning: pps > 3s}}\n';
    const { findings } = loadRuleTexts({ ...base, 'local.yaml': local });
    expect(findings.filter(({ level }) => !level).map(({ file, line, code }) => [file, line, code])).toEqual([
      ['local.yaml', 3, 'rule.unit'],
      ['local.yaml', 3, 'rule.unknown_name'],
      ['local.yaml', 4, 'rule.unknown_rule'],
      ['local.yaml', 5, 'rule.unit'],
    ]);
  });

  test('enabled: false takes a rule out', () => {
    const { rules, findings } = loadRuleTexts({
      ...base,
      'local.yaml': 'version: 1\noverride: {id: a, enabled: false}\n',
    });
    expect(findings).toEqual([]);
    expect(rules.rules).toEqual([]);
  });

  test('home: the option, then the file, then the default', () => {
    const file = {
      'x.yaml': `version: 1\nnets: {home: [192.0.2.0/24]}\nrules:\n${RULE.replace('window', 'match: dst net $home\n  window')}`,
    };
    const text = (options: Parameters<typeof loadRuleTexts>[1], texts: Record<string, string> = file) =>
      loadRuleTexts(texts, options).rules.rules[0].matchText;
    const ten = [parsePrefix('10.0.0.0/8')!];
    expect(text({})).toBe('dst net 192.0.2.0/24');
    expect(text({ defaultHome: ten })).toBe('dst net 192.0.2.0/24');
    expect(text({ home: ten })).toBe('dst net 10.0.0.0/8');
    const bare = { 'x.yaml': file['x.yaml'].replace('nets: {home: [192.0.2.0/24]}\n', '') };
    expect(text({ defaultHome: ten }, bare)).toBe('dst net 10.0.0.0/8');
  });
});

describe('a feed', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-feed-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const withFeed = (content: string | null, match = 'src ip in feed bad') => {
    if (content !== null) writeFileSync(join(folder, 'bad.txt'), content);
    const rule = RULE.replace('  window: 10s\n', `  window: 10s\n  match: ${match}\n`);
    writeFileSync(join(folder, 'x.yaml'), `version: 1\nfeeds: {bad: bad.txt}\nrules:\n${rule}`);
    return loadRules([join(folder, 'x.yaml')]);
  };

  test('is a file of networks beside the rule', () => {
    const { rules, findings } = withFeed('# list\n192.0.2.1\n\n198.51.100.0/24 ; SBL1\n2001:db8::/32,more\n');
    expect(findings).toEqual([]);
    const nets = ['192.0.2.1', '198.51.100.0/24', '2001:db8::/32'].map(parsePrefix);
    expect(rules.rules[0].match).toEqual({ op: 'net', field: 'src.ip', nets });
  });

  test('that changes makes another rule of it', () => {
    const prints = ['192.0.2.1', '192.0.2.2'].map((net) => withFeed(net).rules.rules[0].fingerprint);
    expect(prints[0]).not.toBe(prints[1]);
  });

  test('leaves out and tells of what is no network', () => {
    const { rules, findings } = withFeed('nonsense\n192.0.2.1\n');
    expect(findings.map(({ code, level, line }) => [code, level, line])).toEqual([['rule.feed', 'warning', 2]]);
    expect(rules.rules.length).toBe(1);
  });

  test('that is not there, or of another name, is an error', () => {
    rmSync(join(folder, 'bad.txt'), { force: true });
    expect(withFeed(null).findings.map(({ code }) => code)).toEqual(['rule.feed']);
    expect(withFeed('192.0.2.1', 'src ip in feed bat').findings.map(({ code, hint }) => [code, hint])).toEqual([
      ['rule.unknown_name', 'did you mean bad?'],
    ]);
    expect(withFeed('192.0.2.1', 'proto in tcp udp').findings.length).toBeGreaterThan(0);
  });
});
