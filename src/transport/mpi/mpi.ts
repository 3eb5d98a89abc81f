/** Processes that `mpirun` started, over the MPI of the machine. @module */

import { isMainThread } from 'node:worker_threads'
import {
  BackendUnavailableError,
  ConfigError,
  type ProcessPlace,
  processPlace,
  TransportError,
  withDefaults,
} from '../../core/index.js'
import { DEFAULT_TIMEOUT_MS, type ProcessTransportFactory, type TransportOptions } from '../transport.js'
import { launcherAbi, loadMpi, type MpiLibrary } from './library.js'
import { mpiProcess } from './mpi-process.js'
import { MpiTransport } from './mpi-transport.js'

/** Options of `mpi`. */
export interface MpiOptions extends TransportOptions {
  /**
   * File of the MPI library, such as '/opt/openmpi/lib/libmpi.so.40'. MPI starts once: the first group decides.
   * @default what the variable DCML_MPI names, else Open MPI or MPICH where the system's loader finds them
   */
  library?: string
}

/**
 * The processes that `mpirun` (or Slurm's `srun`) started, over Open MPI or MPICH, whichever started them. Needs the
 * package koffi and Linux. MPI ends with the process: when all have come to their end, or with all of them at the first
 * that fails.
 *
 * @example
 * // mpirun -n 4 --bind-to none node train.mjs
 * new DataParallel({ transport: mpi() })
 */
export function mpi(options: MpiOptions = {}): ProcessTransportFactory {
  const { library, timeoutMs } = withDefaults('mpi', options, { library: undefined, timeoutMs: DEFAULT_TIMEOUT_MS })
  return {
    name: 'mpi',
    kind: 'processes',
    async join(given) {
      const place = launchedPlace(given)
      const process = mpiProcess(await fittingLibrary(library), place)
      const deadline = performance.now() + timeoutMs
      return process.join(
        () => {
          if (performance.now() > deadline)
            throw new TransportError(`Not all ranks joined the group within ${timeoutMs} ms.`)
        },
        (seat) => new MpiTransport(process, { ...seat, timeoutMs }),
      )
    },
  }
}

/** Where `mpirun` put this process. @throws {ConfigError} if it did not start it. */
function launchedPlace(given: Partial<ProcessPlace> = {}): ProcessPlace {
  if (!isMainThread)
    throw new ConfigError('mpi() was used in a worker thread.', { remedy: 'Join in the main thread of each process' })
  const { env } = process
  const place = processPlace()
  if (!place || !(launcherAbi(env) ?? (env.PMIX_RANK || env.SLURM_PROCID)))
    throw new ConfigError('mpi() joins processes that mpirun started, and this is none.', {
      remedy: `Start them so: mpirun -n 2 --bind-to none node ${process.argv[1] ?? 'train.mjs'}`,
    })
  for (const name of ['rank', 'worldSize'] as const)
    if (given[name] !== undefined && given[name] !== place[name])
      throw new ConfigError(`The ${name} given to mpi() is not that of this process.`, {
        expected: place[name],
        received: given[name],
      })
  return place
}

/** @throws {ConfigError} if the launcher belongs to another MPI: every process would be alone in its world. */
async function fittingLibrary(file: string | undefined): Promise<MpiLibrary> {
  const found = await loadMpi(file)
  if ('reason' in found) throw new BackendUnavailableError('mpi() finds no MPI.', { remedy: found.reason })
  const { library } = found
  const launcher = launcherAbi(process.env)
  if (launcher && launcher !== library.abi.name)
    throw new ConfigError('The MPI library and the launcher of this process do not belong together.', {
      expected: `the library of ${launcher}, whose mpirun started this process`,
      received: `${library.version} (${library.file})`,
      remedy: 'Start with the mpirun of that library, or name the file of the other in DCML_MPI',
    })
  return library
}
