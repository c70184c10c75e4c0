import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/perf/**', 'test/soak/**'],
    // A process can be ended whatever native code it waits in; a thread cannot, and the run would never end.
    pool: 'forks',
    // One a core: many tests wait for processes that they started.
    maxWorkers: availableParallelism(),
    testTimeout: 120_000,
    reporters: ['default'],
  },
});
