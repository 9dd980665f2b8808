import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The minutes of named faults, and of systems that are killed, belong to `npm run chaos:ci`.
    exclude: [
      'test/contracts/**',
      'test/chaos/{kills,disk,chain-faults}.test.ts',
      'test/e2e/{kill,external,indexer,runs}.test.ts',
      'test/simulation/**',
      'node_modules/**',
    ],
    // Left alone, two cores would run one file at a time.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
