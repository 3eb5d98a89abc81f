/** Which of the visible GPUs a thread takes: workers on one machine take one each. @module */

import { BackendUnavailableError, ConfigError, type Environment, processPlace } from '../../core/index.js'

/** Names the GPU, by its number among the visible ones, that all workers of this process take. */
const DEVICE_VARIABLE = 'DCML_CUDA_DEVICE'

/** A GPU, and how it was found. */
export interface ChosenDevice {
  /** Its number among the visible GPUs, from 0. */
  readonly index: number
  /** How many GPUs are visible. */
  readonly count: number
  /** Whether it was named, so that several workers may get the same. */
  readonly isNamed: boolean
}

let workerIndex: number | undefined

/** Says which of the worker threads this one is, from 0. Before its backend is selected. */
export function useWorkerIndex(index: number | undefined): void {
  workerIndex = index
}

/**
 * The GPU that DCML_CUDA_DEVICE names; else that of a worker's number: among the threads of its process, or the
 * processes of its machine (the launcher's local rank). One that is no worker takes the first.
 *
 * @param count - Visible GPUs.
 * @throws {BackendUnavailableError} if there are more workers than GPUs.
 * @throws {ConfigError} if a GPU is named that is not there.
 * @example
 * chooseDevice(8, { LOCAL_RANK: '3', RANK: '11', WORLD_SIZE: '16' }) // { index: 3, count: 8, isNamed: false }
 */
export function chooseDevice(count: number, env: Environment): ChosenDevice {
  const named = env[DEVICE_VARIABLE]
  if (named) {
    const index = Number(named)
    if (/^\d+$/.test(named) && index < count) return { index, count, isNamed: true }
    throw new ConfigError(`${DEVICE_VARIABLE} names no visible GPU.`, {
      expected: `0 to ${count - 1}`,
      received: named,
    })
  }
  const index = workerIndex ?? processPlace(env)?.localRank ?? 0
  if (index < count) return { index, count, isNamed: false }
  throw new BackendUnavailableError(`There is no GPU for worker ${index} of this machine: each takes one of its own.`, {
    expected: `at most ${count}, as many workers as visible GPUs`,
    received: `worker ${index}, counted from 0`,
    remedy:
      'Start fewer workers; or, where each process sees a GPU of its own or workers are to share one, name it: ' +
      `${DEVICE_VARIABLE}=0`,
  })
}
