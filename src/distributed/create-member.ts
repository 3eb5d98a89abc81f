/**
 * From the description of a strategy to a worker's side of it: the one place where threads and processes alike make it.
 * @module
 */

import { type DistributedStrategy, functionOfSetup, type SetupExports } from '../training/index.js'
import type { Transport } from '../transport/index.js'
import { CompressedMember } from './compressed-member.js'
import type { Compression } from './compression/compression.js'
import type { MemberMaker } from './custom-strategy.js'
import { DataParallelMember } from './data-parallel-member.js'
import { LocalMember, type LocalOptions } from './local-member.js'
import { OneMemoryMember } from './one-memory-member.js'
import { ParameterServerMember, type ParameterServerOptions } from './parameter-server-member.js'
import { ShardedMember, type ShardedOptions } from './sharded-member.js'

/** A strategy as plain data: a name, and options that can be posted to a thread or written as JSON. */
export type StrategyDescription =
  | { name: 'data-parallel'; options: { bucketBytes?: number; compression?: Compression } }
  | { name: 'sharded'; options: ShardedOptions }
  | { name: 'local'; options: LocalOptions }
  | { name: 'parameter-server'; options: ParameterServerOptions }
  | { name: 'custom'; options: { member: string; options?: unknown } }

/**
 * Makes the member that takes part in every step of a worker.
 *
 * @param onOneMemory - Whether the kernels of all workers run on one memory.
 * @param setup - What the module of the user exports.
 */
export function createMember(
  description: StrategyDescription,
  transport: Transport,
  { onOneMemory = false, setup = {} }: { onOneMemory?: boolean; setup?: SetupExports } = {},
): DistributedStrategy {
  switch (description.name) {
    case 'data-parallel':
      if (description.options.compression) return new CompressedMember(transport, description.options.compression)
      return onOneMemory && transport.native
        ? new OneMemoryMember(transport, transport.native, transport.waits ?? PATIENT)
        : new DataParallelMember(transport, description.options)
    case 'sharded':
      return new ShardedMember(transport, description.options)
    case 'local':
      return new LocalMember(transport, description.options)
    case 'parameter-server':
      return new ParameterServerMember(transport, description.options)
    case 'custom': {
      const { member, options } = description.options
      return (functionOfSetup(setup, member, 'member') as MemberMaker)(transport, options)
    }
    default:
      return description satisfies never
  }
}

/** For a transport that does not say. */
const PATIENT = { spins: 500, timeoutMs: Number.POSITIVE_INFINITY }
