import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/contracts/**/*.test.ts'],
    // All files share one chain, and the accounts' nonces with it.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
})
