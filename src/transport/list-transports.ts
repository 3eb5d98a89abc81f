/** Which transports there are, and why the others are not. @module */

import { listMpi } from './mpi/library.js'

/** How the workers of a training may exchange bytes. */
export type TransportName = 'memory' | 'sharedMemory' | 'tcp' | 'mpi'

/** One transport on this machine. */
export interface TransportReport {
  name: TransportName
  available: boolean
  /** Why it is not available. */
  reason?: string
  /** Which workers it joins. */
  joins: string
  /** The libraries found that it can use, such as 'Open MPI 4.1.4 (libmpi.so.40)'. */
  library?: string
}

/**
 * Every transport, nearest peers first.
 *
 * @example
 * for (const { name, available, reason } of await listTransports()) console.log(name, available ? 'yes' : reason)
 */
export async function listTransports(): Promise<TransportReport[]> {
  const mpi = await listMpi()
  return [
    { name: 'memory', available: true, joins: 'peers within one thread, for tests' },
    { name: 'sharedMemory', joins: 'threads of one process', ...sharedMemorySupport() },
    { name: 'tcp', available: true, joins: 'processes and machines' },
    { name: 'mpi', joins: 'processes that mpirun starts', ...mpi, available: 'library' in mpi },
  ]
}

function sharedMemorySupport(): { available: boolean; reason?: string } {
  try {
    Atomics.load(new Int32Array(new SharedArrayBuffer(4)), 0)
    return { available: true }
  } catch (error) {
    return { available: false, reason: `this runtime has no shared memory: ${(error as Error).message}` }
  }
}
