/** What computes on cuda, under the stand-in's sanitizer: `tests/cuda` runs the operation tests alone with it. */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { buildStandIn } from '../cuda/stand-in.js'

const standIn = buildStandIn()
if ('reason' in standIn) console.log(`Skipped: the tests of the backend cuda under the sanitizer. ${standIn.reason}`)

const root = fileURLToPath(new URL('../..', import.meta.url))
const kernels = ['kernels', 'operations', 'golden-torch', 'training-kernels', 'attention', 'products']
const files = [...kernels, 'captured', 'chains']

it.skipIf('reason' in standIn).each(files)('tests/cuda/%s finds nothing wrong', (name) => {
  const run = spawnSync('npx', ['vitest', 'run', `tests/cuda/${name}.test.ts`], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, DCML_TEST_SANITIZE: '1' },
  })
  expect(run.status, run.stdout.slice(-8000)).toBe(0)
})
