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
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
