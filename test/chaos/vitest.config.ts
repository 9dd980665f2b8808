import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'test/chaos/*.test.ts',
      'test/e2e/{kill,external,indexer,runs}.test.ts',
      'test/simulation/*.test.ts',
    ],
    maxConcurrency: 3,
    maxWorkers: 2,
    // A busy machine takes many times as long; whoever waits, waits for something.
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
})
