import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/**
 * Unit tests import from `src`; tests of threads, packages and the command line import `dcml`, which is the build in
 * `dist` (a package may import itself by name). One test file uses one of the two, never both.
 */
export default defineConfig({
  resolve: {
    alias: { '#threads': fileURLToPath(new URL('./src/core/threads/threads.node.ts', import.meta.url)) },
  },
  test: {
    include: ['tests/**/*.test.ts'],
    // Each file gets a process of its own: tfjs keeps its engine and backend per process.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
