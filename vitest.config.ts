import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = fileURLToPath(new URL('./src/', import.meta.url))
const threads = 'core/threads/threads.node.ts'

/**
 * Unit tests import from `src`; tests of threads, packages and the command line import `dcml`, which is the build in
 * `dist` (a package may import itself by name). One test file uses one of the two, never both.
 */
export default defineConfig({
  plugins: [
    {
      name: 'threads-of-src',
      enforce: 'pre',
      // Sources take the sources; the build takes its own, by the "imports" of package.json.
      resolveId: (id, importer) => (id === '#threads' && importer?.startsWith(source) ? `${source}${threads}` : null),
    },
  ],
  test: {
    include: ['tests/**/*.test.ts'],
    // Those run by `npm run test:long`.
    exclude: ['tests/long/**'],
    // Each file gets a process of its own: tfjs keeps its engine and backend per process.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
