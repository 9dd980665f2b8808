import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/chaos/*.test.ts'],
    maxConcurrency: 3,
    maxWorkers: 2,
    hookTimeout: 60_000,
  },
})
