import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  formatPredicate,
  generateSchema,
  loadRules,
  loadRuleTests,
  parsePredicate,
  ruleCost,
  withReference,
} from '../../src/rule/rule.ts';

const { rules, findings } = loadRules(['rules']);
const { cases, findings: testFindings } = loadRuleTests(['rules']);

describe('the shipped library', () => {
  test('has no finding, not even a warning', () => {
    expect(findings).toEqual([]);
    expect(testFindings).toEqual([]);
  });

  test('has one detection a file, named alike', () => {
    const files = [...readdirSync('rules'), ...readdirSync('rules/self')];
    const named = files.filter((name) => /^[a-z].*(?<!\.test)\.yaml$/.test(name));
    expect(named.sort()).toEqual(rules.rules.map(({ id }) => `${id}.yaml`).sort());
  });

  test.each(rules.rules.map((rule) => [rule.id, rule] as const))('%s has a firing and a quiet case', (id) => {
    const own = cases.filter(({ rule }) => rule === id);
    expect(own.some(({ expect: all }) => all.every(({ none }) => none))).toBe(true);
    expect(own.some(({ expect: all }) => all.some(({ none }) => !none))).toBe(true);
  });

  test.each(rules.rules.map((rule) => [rule.id, rule] as const))('%s says what it is and what to do', (_, rule) => {
    expect(rule.title).not.toBe(rule.id);
    expect(rule.tags.length).toBeGreaterThan(0);
    expect(rule.annotations['summary']).toBeTruthy();
    expect(rule.measureAgainst).toMatch(/\.$/);
    expect(ruleCost(rule).maxBytes).toBeLessThan(512e6);
  });

  test.each(rules.rules.map((rule) => [rule.id, rule] as const))(
    'the match of %s is a filter for queries',
    (_, rule) => {
      const { predicate, findings: none } = parsePredicate(rule.matchText);
      expect(none).toEqual([]);
      expect(formatPredicate(predicate)).toBe(rule.matchText);
    },
  );
});

test('the published schema is up to date (weir schema --write)', () => {
  expect(JSON.parse(readFileSync('rules/rule.schema.json', 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(generateSchema())),
  );
});

test('the tables of docs/rules.md are up to date (weir schema --write)', () => {
  const page = readFileSync('docs/rules.md', 'utf8');
  expect(withReference(page, rules.rules)).toBe(page);
});
