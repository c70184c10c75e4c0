import { expect, it } from 'vitest';
import { mapLargeBuffers } from '../../src/core/heap.ts';

const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };

it('glibc takes the threshold; elsewhere it is said that nothing was done', async () => {
  expect(await mapLargeBuffers()).toBe(header.glibcVersionRuntime !== undefined);
});
