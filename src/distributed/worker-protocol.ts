/** What the coordinator and a worker thread say to each other. @module */

import type { KernelMemory } from '../backends/index.js'
import type { SerializedError } from '../core/index.js'
import type { Crew, TrainingJob } from '../training/index.js'
import type { StrategyDescription } from './create-member.js'
import type { GroupTicket } from './join-group.js'

/** First message to a worker. */
export interface StartMessage {
  kind: 'start'
  id: number
  job: TrainingJob
  strategy: StrategyDescription
  ticket: GroupTicket
  /** The memory of all workers' kernels, where they share one. */
  kernelMemory?: KernelMemory
}

/** Names of the crew's methods that a worker carries out. */
export type Command = Exclude<keyof Crew, 'remote' | 'leads' | 'lead' | 'elastic'>

/** A later message: one method of the crew. */
export interface CommandMessage {
  kind: 'command'
  id: number
  command: Command
  arguments: unknown[]
}

/** The last message, where a thread holds what its end does not give back. */
export interface EndMessage {
  kind: 'end'
  id: number
}

/** A worker's answer. */
export type Reply = { id: number; result: unknown } | { id: number; error: SerializedError }
