#!/usr/bin/env node
/**
 * Tests the backend cuda on the GPU of this machine: tfjs-core's op tests, PyTorch's goldens, captured steps, every kernel
 * of training. Says why where there is none.
 *
 *   npm run test:cuda
 */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { listBackends } from '../dist/index.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const cuda = (await listBackends()).find(({ name }) => name === 'cuda')
if (!cuda.available) {
  console.log(`Skipped: ${cuda.reason}`)
  process.exit(0)
}
console.log([cuda.device, ...cuda.features].join(', '))

const run = (command, args) => {
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, DCML_TEST_GPU: '1' } }
  return spawnSync(command, args, options).status ?? 1
}
const tests = ['golden-torch', 'captured', 'training-kernels', 'compile'].map((name) => `tests/cuda/${name}.test.ts`)
const statuses = [
  run(process.execPath, ['scripts/op-tests.mjs', '--backend', 'cuda']),
  run('npx', ['vitest', 'run', ...tests]),
]
process.exit(Math.max(...statuses))
