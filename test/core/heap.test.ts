import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { mapLargeBuffers } from '../../src/core/heap.ts';

const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };

it('glibc takes the threshold; elsewhere it is said that nothing was done', async () => {
  expect(await mapLargeBuffers()).toBe(header.glibcVersionRuntime !== undefined);
});

it('young generations stay as small as they are, also when much survives', () => {
  const survive = `
    const kept = [];
    for (let n = 0; n < 1e6; n++) kept.push({ n });
    const { space_size } = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(space_size);`;
  const sizeWith = (first: string): number => {
    const code = `import v8 from 'node:v8'; import { keepYoungSmall } from './src/core/heap.ts'; ${first} ${survive}`;
    return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
  };
  expect(sizeWith('keepYoungSmall();')).toBeLessThan(0.5 * sizeWith(''));
});
