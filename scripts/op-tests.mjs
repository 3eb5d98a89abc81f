#!/usr/bin/env node
/**
 * Holds a backend of dcml's own to tfjs-core's op tests, about 4,200 specs.
 *
 *   node scripts/op-tests.mjs [--grep PATTERN] [--backend cuda | webgpu]
 *
 * The specs that are skipped stand in tests/op-tests/skips.ts, each with its reason. Exits 1 when a spec fails.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({
  options: { grep: { type: 'string' }, backend: { type: 'string', default: 'dcml-wasm' } },
})

// Below node_modules, so that what stays external (jasmine) is found from there.
const folder = mkdtempSync(join(root, 'node_modules', '.op-tests-'))
let status = 1
try {
  const outfile = join(folder, 'run.cjs')
  await build({
    entryPoints: [join(root, 'tests/op-tests/run.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // Without it, "sideEffects": false of tfjs-core drops its tests.
    ignoreAnnotations: true,
    // The module form of every package: one copy of tfjs-core.
    mainFields: ['module', 'main'],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href" },
    external: [
      'jasmine',
      'jasmine-core',
      'koffi',
      '@tensorflow/tfjs-backend-webgl',
      '#threads',
      // Optional: bundled with the one copy of tfjs-core when it is asked for.
      ...(values.backend === 'webgpu' ? [] : ['@tensorflow/tfjs-backend-webgpu']),
    ],
    logLevel: 'error',
  })
  const run = spawnSync(process.execPath, [outfile], {
    stdio: 'inherit',
    env: { ...process.env, OP_TESTS_BACKEND: values.backend, OP_TESTS_GREP: values.grep ?? '' },
  })
  status = run.status ?? 1
} finally {
  rmSync(folder, { recursive: true })
}
process.exit(status)
