/** Runs one measurement in a process of its own. @module */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Contender } from './cases.js'
import type { Order, Outcome } from './measurement.js'
import pytorchProgram from './with_pytorch.py'

const run = promisify(execFile)

// BLAS and OpenMP would otherwise take every core for what is called one thread.
const oneThread = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }
// Keeps glibc from giving every large buffer back to the system and asking for it again in the next step.
const keepMemory = { MALLOC_MMAP_THRESHOLD_: '1073741824', MALLOC_TRIM_THRESHOLD_: '1073741824' }

/** Measures a library. What goes wrong there is an outcome, never an error. */
export async function launch(contender: Contender, order: Order): Promise<Outcome> {
  switch (contender) {
    case 'dcml':
      return launchNode('dcml', order)
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

function launchNode(library: string, order: Order): Promise<Outcome> {
  const program = fileURLToPath(new URL('./bench-child.js', import.meta.url))
  return outcomeOf(process.execPath, [program, library], order, {})
}

async function launchPytorch(order: Order, environment: Record<string, string>): Promise<Outcome> {
  python ??= findPython()
  const command = await python
  if (command === undefined) return { skipped: 'not installed' }
  return outcomeOf(command, ['-c', pytorchProgram], order, environment)
}

let python: Promise<string | undefined> | undefined

/** The first Python that has PyTorch. */
async function findPython(): Promise<string | undefined> {
  for (const command of ['python3', '/usr/bin/python3', 'python'])
    try {
      await run(command, ['-c', 'import torch'])
      return command
    } catch {
      // The next one may have it.
    }
  return undefined
}

async function outcomeOf(
  command: string,
  args: string[],
  order: Order,
  environment: Record<string, string>,
): Promise<Outcome> {
  const timeoutSeconds = Math.ceil(120 + 10 * order.seconds)
  try {
    const { stdout } = await run(command, [...args, JSON.stringify(order)], {
      env: { ...process.env, ...environment },
      timeout: timeoutSeconds * 1000,
    })
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Outcome
  } catch (error) {
    const { killed, stderr } = error as { killed?: boolean; stderr?: string }
    if (killed) return { error: `gave no figure within ${timeoutSeconds} s` }
    const lines = stderr?.trim().split('\n') ?? []
    return { error: lines.find((line) => /^\w*(Error|Exception)\b/.test(line)) ?? (lines.at(-1) || String(error)) }
  }
}
