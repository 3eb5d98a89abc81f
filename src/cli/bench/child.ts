/**
 * What a child process of a benchmark runs: one library, one case, one measurement.
 *
 * Called with the name of the library and the order as JSON; prints the outcome as JSON in its last line.
 * @module
 */

import type * as jax from '@jax-js/jax'
import type { Library } from './cases.js'
import type { OperationMeasurement, OperationOrder } from './cuda/operations.js'
import type { Order, Outcome } from './measurement.js'

const [library, order] = process.argv.slice(2) as [Library | 'dcml-operation', string]

let outcome: Outcome | OperationMeasurement
try {
  outcome =
    library === 'dcml-operation'
      ? await (await import('./cuda/operations.js')).measureOperation(JSON.parse(order) as OperationOrder)
      : await measure(JSON.parse(order))
} catch (error) {
  outcome = isMissingPackage(error) ? { skipped: 'not installed' } : { error: firstLine(error) }
}
console.log(JSON.stringify(outcome))

async function measure(order: Order): Promise<Outcome> {
  // Each process loads its own library alone. The names in variables keep packages that a user of dcml need not have
  // out of the build.
  switch (library) {
    case 'dcml':
      return (await import('./with-dcml.js')).measureDcml(order)
    case 'tfjs-wasm': {
      const name = '@tensorflow/tfjs-backend-wasm'
      return (await import('./with-tfjs.js')).measureTfjs(order, () => import(name))
    }
    case 'jax-js': {
      const name = '@jax-js/jax'
      return (await import('./with-jax.js')).measureJax(order, () => import(name) as Promise<typeof jax>)
    }
    default:
      throw new Error(`${library} does not run in Node.`)
  }
}

function isMissingPackage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!
}
