/**
 * Runs tfjs-core's own specs in this process; scripts/op-tests.mjs bundles and starts it.
 * @module
 */

import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import * as tf from '@tensorflow/tfjs-core'
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util'
import { backendNameOf } from '../../src/backends/backend-report.js'
import { selectBackend } from '../../src/backends/index.js'
import { findWebgpu } from '../../src/backends/webgpu/dawn.js'
import { skips } from './skips.js'

interface SpecResult {
  status: 'passed' | 'failed' | 'excluded' | 'pending'
  fullName: string
  failedExpectations: { message: string; stack: string }[]
}

const backendName = process.env.OP_TESTS_BACKEND || 'dcml-wasm'
const grep = process.env.OP_TESTS_GREP ? new RegExp(process.env.OP_TESTS_GREP) : undefined
/** Whether the backend is dcml's own: the skips are about those. */
const isOwn = backendName === 'dcml-wasm' || backendName === 'cuda'
const ownSkips = skips.filter(({ backend }) => backend === undefined || backend === backendName)
const unusedSkips = new Set(ownSkips.map(({ name }) => name))

function isSkipped(fullName: string): boolean {
  const hits = ownSkips.filter(({ name }) => fullName.replace(`test-${backendName}`, 'test-dcml').includes(name))
  for (const { name } of hits) unusedSkips.delete(name)
  return isOwn && hits.length > 0
}

async function main(): Promise<void> {
  if (backendName === 'webgpu') {
    await findWebgpu()
    await import('@tensorflow/tfjs-backend-webgpu')
  }
  await selectBackend({ prefer: [backendNameOf(backendName)!] })
  if (tf.getBackend() !== backendName) throw new Error(`The backend is ${tf.getBackend()}, not ${backendName}.`)
  // A warning per loaned kernel would drown the result; the unit tests look at loans.
  console.warn = () => {}
  setTestEnvs([{ name: `test-${backendName}`, backendName, flags: {}, isDataSync: backendName !== 'webgpu' }])

  const Jasmine = require('jasmine')
  const runner = new Jasmine()
  runner.loadConfig({ spec_files: [], random: false })
  runner.exitOnCompletion = false
  // Required, not imported: the environments must be set before the specs are declared.
  require('@tensorflow/tfjs-core/dist/tests')

  const environment = (globalThis as unknown as { jasmine: { getEnv(): JasmineEnvironment } }).jasmine.getEnv()
  let skipped = 0
  // Passed on once jasmine is done: it turns an exit before that into its own code.
  let status = 1
  environment.configure({
    specFilter: (spec) => {
      const name = spec.getFullName()
      if (isSkipped(name)) {
        skipped++
        return false
      }
      return grep === undefined || grep.test(name)
    },
  })
  const counts = { passed: 0, failed: 0, excluded: 0, pending: 0 }
  environment.clearReporters()
  environment.addReporter({
    specDone({ status, fullName, failedExpectations }) {
      counts[status]++
      if (status !== 'failed') return
      const [first] = failedExpectations
      console.log(`FAILED ${fullName}\n       ${first?.message.slice(0, 300).replaceAll('\n', ' ')}`)
    },
    jasmineDone({ overallStatus, incompleteReason }) {
      console.log(
        `${backendName}: ${counts.passed} passed, ${counts.failed} failed, ${skipped} skipped with a reason, ` +
          `${counts.pending} pending in tfjs`,
      )
      if (grep === undefined && unusedSkips.size > 0)
        console.log(`Skips that match no spec: ${[...unusedSkips].join('; ')}`)
      const isWhole = grep !== undefined || (counts.passed > 4000 && unusedSkips.size === 0)
      // A filtered run is 'incomplete' to jasmine; what counts here is that nothing failed outside of a spec either.
      const isClean = counts.failed === 0 && overallStatus !== 'failed' && isWhole
      if (!isClean && incompleteReason) console.log(incompleteReason)
      status = isClean ? 0 : 1
    },
  })
  await runner.execute()
  process.exit(status)
}

interface JasmineEnvironment {
  configure(options: { specFilter(spec: { getFullName(): string }): boolean }): void
  clearReporters(): void
  addReporter(reporter: {
    specDone(result: SpecResult): void
    jasmineDone(result: { overallStatus: string; incompleteReason?: string }): void
  }): void
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
