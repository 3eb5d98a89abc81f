/**
 * Runs tfjs-core's own specs in this process; scripts/op-tests.mjs bundles and starts it, and counts.
 *
 * Tells what happens as JSON, a marked line each: at once, as writes to pipes are, for the process may crash in the next
 * spec. On the standard output, for a tool that runs the process below itself may close what else is open.
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
  id: string
  status: 'passed' | 'failed' | 'excluded' | 'pending'
  fullName: string
  failedExpectations: { message: string; stack: string }[]
}

/** What scripts/op-tests.mjs is told; `index` counts the specs that are wanted. */
type Event =
  | { kind: 'started'; index: number; name: string }
  | { kind: 'done'; status: SpecResult['status']; message?: string }
  /** The backend answers no more: what comes now would fail for nothing. */
  | { kind: 'lost' }
  | { kind: 'end'; skipped: number; unusedSkips: string[]; problem?: string }

const tell = (event: Event) => process.stdout.write(`@spec ${JSON.stringify(event)}\n`)

const backendName = process.env.OP_TESTS_BACKEND || 'dcml-wasm'
/** The first spec to run; a process before this one ran those before. */
const first = Number(process.env.OP_TESTS_FIRST || 0)
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
  const isDataSync = backendName !== 'webgpu'
  setTestEnvs([{ name: `test-${backendName}`, backendName, flags: {}, isDataSync }])

  const Jasmine = require('jasmine')
  const runner = new Jasmine()
  runner.loadConfig({ spec_files: [], random: false })
  runner.exitOnCompletion = false
  // Required, not imported: the environments must be set before the specs are declared.
  require('@tensorflow/tfjs-core/dist/tests')

  const environment = (globalThis as unknown as { jasmine: { getEnv(): JasmineEnvironment } }).jasmine.getEnv()
  let skipped = 0
  const indices = new Map<string, number>()
  // Passed on once jasmine is done: it turns an exit before that into its own code.
  let status = 1
  environment.configure({
    specFilter: (spec) => {
      const name = spec.getFullName()
      if (isSkipped(name)) {
        skipped++
        return false
      }
      if (grep !== undefined && !grep.test(name)) return false
      indices.set(spec.id, indices.size)
      return indices.size > first
    },
  })
  environment.clearReporters()
  environment.addReporter({
    specStarted({ id, fullName }) {
      const index = indices.get(id) ?? -1
      if (index >= first) tell({ kind: 'started', index, name: fullName })
    },
    specDone({ status, failedExpectations: [failed] }) {
      if (status === 'excluded') return
      tell({ kind: 'done', status, ...(failed && { message: failed.message }) })
      if (!failed || !isDataSync || answers()) return
      tell({ kind: 'lost' })
      process.exit(1)
    },
    jasmineDone({ overallStatus, incompleteReason }) {
      // A filtered run is 'incomplete' to jasmine; what counts is that nothing failed outside of a spec either.
      const problem =
        overallStatus === 'failed' ? (incompleteReason ?? 'Something failed outside of a spec.') : undefined
      tell({ kind: 'end', skipped, unusedSkips: [...unusedSkips], ...(problem && { problem }) })
      status = 0
    },
  })
  await runner.execute()
  process.exit(status)
}

/** Whether the backend still computes: after some failures a GPU can be used no more in the process. */
function answers(): boolean {
  try {
    return tf.tidy(() => tf.add(tf.ones([1]), 1).dataSync())[0] === 2
  } catch {
    return false
  }
}

interface JasmineEnvironment {
  configure(options: { specFilter(spec: { id: string; getFullName(): string }): boolean }): void
  clearReporters(): void
  addReporter(reporter: {
    specStarted(result: SpecResult): void
    specDone(result: SpecResult): void
    jasmineDone(result: { overallStatus: string; incompleteReason?: string }): void
  }): void
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
