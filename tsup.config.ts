import { defineConfig } from 'tsup'

/**
 * One ES module build for Node and browsers alike: shared code is split into chunks, so that `dcml`, `dcml/node` and
 * the worker entry hold one copy of each class.
 */
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    node: 'src/node.ts',
    testing: 'src/testing.ts',
    vite: 'src/vite.ts',
    cli: 'src/cli/main.ts',
    'bench-child': 'src/cli/bench/child.ts',
    'bench-link-rank': 'src/cli/bench/link-rank.ts',
    'bench-allreduce-rank': 'src/cli/bench/allreduce/rank.ts',
    worker: 'src/distributed/worker-entry.ts',
    'launch-agent': 'src/distributed/launch/agent-entry.ts',
    // A chunk of its own, so that a page without plots leaves echarts out.
    draw: 'src/evaluation/draw.ts',
    'objective-worker': 'src/tuning/objective-worker.ts',
    'threads.node': 'src/core/threads/threads.node.ts',
    'threads.browser': 'src/core/threads/threads.browser.ts',
    'parent-thread.node': 'src/core/threads/parent-thread.node.ts',
    'parent-thread.browser': 'src/core/threads/parent-thread.browser.ts',
  },
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  clean: true,
  dts: { entry: ['src/index.ts', 'src/node.ts', 'src/testing.ts', 'src/vite.ts'] },
  // What echarts asks, which is bundled: few need 70 MB of it, and its 600 modules would take most of the time of an import.
  define: { 'process.env.NODE_ENV': '"production"' },
  // The programs of benchmarks travel as text.
  loader: { '.py': 'text', '.c': 'text' },
  // Resolved by the runtime or the user's bundler, not here: see "imports" in package.json.
  external: [/^#/, /^node:/, /^@tensorflow\//],
})
