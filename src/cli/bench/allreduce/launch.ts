/** Runs one contender's part of `dcml bench allreduce` in processes of its own. @module */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findPython, firstThatRuns, oneThread, outcomeOf, outcomeOfGroup } from '../run-child.js'
import type { Contender, MpiName, Order, Outcome } from './order.js'
import glooProgram from './with_gloo.py'
import mpiProgram from './with_mpi.c'

const run = promisify(execFile)

/** Measures all sizes. What goes wrong there is an outcome, never an error. */
export async function launch(contender: Contender, order: Order): Promise<Outcome> {
  switch (contender) {
    case 'dcml':
      return launchDcml[order.transport](order)
    case 'gloo': {
      const python = await findPython()
      return python === undefined
        ? { skipped: 'PyTorch is not installed' }
        : outcome(python, ['-c', glooProgram, json(order)])
    }
    case 'openmpi':
    case 'mpich':
      return launchC(contender, order)
    default:
      return contender satisfies never
  }
}

const launchDcml = {
  sharedMemory: (order: Order) => outcome(process.execPath, [rankProgram(), json(order)]),
  tcp: (order: Order) => outcomeOfGroup<Outcome>(rankProgram(), [json(order)], order.workers),
  mpi: launchMpi,
}

async function launchMpi(order: Order): Promise<Outcome> {
  const mpirun = await firstThatRuns([`mpirun.${order.mpi}`, 'mpirun'], ['--version'])
  if (mpirun === undefined) return { skipped: 'mpirun is not installed' }
  return outcome(mpirun, [...mpirunArguments(order.mpi, order), process.execPath, rankProgram(), json(order)])
}

async function launchC(mpi: MpiName, order: Order): Promise<Outcome> {
  const compiler = await firstThatRuns([`mpicc.${mpi}`], ['--version'])
  const mpirun = await firstThatRuns([`mpirun.${mpi}`], ['--version'])
  if (compiler === undefined || mpirun === undefined)
    return { skipped: `the compiler or launcher of ${mpi} is not installed` }
  const folder = await mkdtemp(join(tmpdir(), 'dcml-bench-'))
  try {
    const [source, program] = [join(folder, 'allreduce.c'), join(folder, 'allreduce')]
    await writeFile(source, mpiProgram)
    await run(compiler, ['-O2', '-o', program, source])
    const sizes = order.sizes.flatMap(({ bytes, repetitions }) => [bytes, repetitions])
    const args = [order.warmUps, order.batches, ...sizes].map(String)
    return await outcome(mpirun, [...mpirunArguments(mpi, order), program, ...args])
  } catch (error) {
    return { error: (error as Error).message.split('\n')[0]! }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const outcome = (command: string, args: readonly string[]) =>
  outcomeOf<Outcome>(command, args, {
    environment: { ...oneThread, ...mayBeRoot },
    timeoutSeconds: 600,
  })
// Unbound, for Open MPI would pin all threads of a process to one core; more workers than cores are slow, and allowed.
const mpirunArguments = (mpi: MpiName, { workers }: Order) => [
  ...['-n', String(workers)],
  ...(mpi === 'openmpi' ? ['--bind-to', 'none', '--oversubscribe'] : []),
]
// In a container the user is often root, to whom Open MPI says no unless told.
const mayBeRoot = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
const rankProgram = () => fileURLToPath(new URL('./bench-allreduce-rank.js', import.meta.url))
const json = (order: Order) => JSON.stringify(order)
