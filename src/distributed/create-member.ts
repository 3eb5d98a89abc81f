/**
 * From the description of a strategy to a worker's side of it: the one place where threads and processes alike make it.
 * @module
 */

import type { DistributedStrategy } from '../training/index.js'
import type { Transport } from '../transport/index.js'
import { DataParallelMember } from './data-parallel-member.js'
import { OneMemoryMember } from './one-memory-member.js'

/** A strategy as plain data: a name, and options that can be posted to a thread or written as JSON. */
export interface StrategyDescription {
  name: 'data-parallel'
  options: { bucketBytes?: number }
}

/**
 * Makes the member that takes part in every step of a worker.
 *
 * @param onOneMemory - Whether the kernels of all workers run on one memory.
 */
export function createMember(
  { options }: StrategyDescription,
  transport: Transport,
  { onOneMemory = false }: { onOneMemory?: boolean } = {},
): DistributedStrategy {
  return onOneMemory && transport.native
    ? new OneMemoryMember(transport, transport.native)
    : new DataParallelMember(transport, options)
}
