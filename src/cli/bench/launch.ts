/** Runs one measurement in a process of its own. @module */

import { fileURLToPath } from 'node:url'
import { launch as launchGroup } from '../../node.js'
import type { Contender } from './cases.js'
import type { Order, Outcome } from './measurement.js'
import { findPython, oneThread, outcomeOf } from './run-child.js'
import pytorchProgram from './with_pytorch.py'

// Keeps glibc from giving every large buffer back to the system and asking for it again in the next step.
const keepMemory = { MALLOC_MMAP_THRESHOLD_: '1073741824', MALLOC_TRIM_THRESHOLD_: '1073741824' }

/** Measures a library. What goes wrong there is an outcome, never an error. */
export async function launch(contender: Contender, order: Order): Promise<Outcome> {
  switch (contender) {
    case 'dcml':
      return order.processes ? launchProcesses(order) : launchNode('dcml', order)
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

/** The outcome of rank 0, which the clock runs on. */
async function launchProcesses(order: Order): Promise<Outcome> {
  let outcome: Outcome | undefined
  let last = ''
  await launchGroup(program(), ['dcml', JSON.stringify(order)], {
    processes: order.workers,
    write: (line) => {
      last = line
      if (line.startsWith('[0] {')) outcome = JSON.parse(line.slice(4)) as Outcome
    },
  })
  return outcome ?? { error: last }
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
