import { expect, test } from 'vitest';
import { showFinding } from '../../src/rule/rule.ts';

const finding = { file: 'a.yaml', line: 2, column: 9, code: 'rule.unit', message: 'no', hint: 'did you mean bps?' };

test('a finding with its line and a caret under its column', () => {
  expect(showFinding(finding, 'version: 1\n  when: pps > 1\n')).toBe(
    'a.yaml:2:9: error rule.unit no\n    when: pps > 1\n          ^\n  hint: did you mean bps?',
  );
});

test('a finding without its file is told alone', () => {
  expect(showFinding({ ...finding, hint: undefined, level: 'warning' }, null)).toBe('a.yaml:2:9: warning rule.unit no');
});

test('a long line is cut around the caret, control letters never reach the terminal', () => {
  const line = `${'x'.repeat(300)}\u001b[31m`;
  const [, shown, caret] = showFinding({ ...finding, line: 1, column: 301 }, line).split('\n');
  expect(shown.length).toBeLessThan(120);
  expect(shown[caret.indexOf('^')]).toBe(' ');
  expect(shown).not.toContain('\u001b');
});
