/** Runs one measurement in a process of its own. @module */

import { fileURLToPath } from 'node:url'
import type { Contender } from './cases.js'
import type { Order, Outcome } from './measurement.js'
import { findPython, oneThread, outcomeOf, outcomeOfGroup } from './run-child.js'
import pytorchProgram from './with_pytorch.py'

// Keeps glibc from giving every large buffer back to the system and asking for it again in the next step.
const keepMemory = { MALLOC_MMAP_THRESHOLD_: '1073741824', MALLOC_TRIM_THRESHOLD_: '1073741824' }

/** Measures a library. What goes wrong there is an outcome, never an error. */
export async function launch(contender: Contender, order: Order): Promise<Outcome> {
  switch (contender) {
    case 'dcml':
      return order.processes
        ? outcomeOfGroup<Outcome>(program(), ['dcml', JSON.stringify(order)], order.workers)
        : launchNode('dcml', order)
    case 'dcml-1w':
      return launchNode('dcml', { ...order, workers: 1 })
    case 'tfjs-wasm':
    case 'jax-js':
      return launchNode(contender, order)
    case 'pytorch':
      return launchPytorch(order, oneThread)
    case 'pytorch-malloc':
      return launchPytorch(order, { ...oneThread, ...keepMemory })
  }
}

const program = () => fileURLToPath(new URL('./bench-child.js', import.meta.url))

function launchNode(library: string, order: Order): Promise<Outcome> {
  return outcomeOfOrder(process.execPath, [program(), library], order, {})
}

async function launchPytorch(order: Order, environment: Record<string, string>): Promise<Outcome> {
  const command = await findPython()
  if (command === undefined) return { skipped: 'not installed' }
  return outcomeOfOrder(command, ['-c', pytorchProgram], order, environment)
}

function outcomeOfOrder(
  command: string,
  args: string[],
  order: Order,
  environment: Record<string, string>,
): Promise<Outcome> {
  const timeoutSeconds = Math.ceil(120 + 10 * order.seconds)
  return outcomeOf<Outcome>(command, [...args, JSON.stringify(order)], { environment, timeoutSeconds })
}
