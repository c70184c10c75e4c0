import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/perf/**', 'test/soak/**'],
    pool: 'threads',
    // One a core: many tests wait for processes that they started.
    maxWorkers: availableParallelism(),
    testTimeout: 120_000,
    reporters: ['default'],
  },
});
