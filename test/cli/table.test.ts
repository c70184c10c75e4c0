import { describe, expect, it } from 'vitest';
import { table } from '../../src/cli/table.ts';

describe('table', () => {
  it('puts numbers to the right and text, addresses too, to the left', () => {
    const rows = [
      ['192.0.2.1', '1.05 k', '12%', '214 MB'],
      ['10.0.0.200', '7', '3%', '1.87 MB'],
    ];
    expect(table(['address', 'flows', 'share', 'sent'], rows)).toEqual([
      'address      flows  share     sent',
      '192.0.2.1   1.05 k    12%   214 MB',
      '10.0.0.200       7     3%  1.87 MB',
    ]);
  });
});
