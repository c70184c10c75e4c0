import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/perf/**', 'test/soak/**'],
    pool: 'threads',
    testTimeout: 60_000,
    reporters: ['default'],
  },
});
