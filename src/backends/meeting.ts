/**
 * Where worker threads whose kernels share a memory wait for each other: in JavaScript, or inside a program.
 * @module
 */

import { TransportError } from '../core/index.js'
import { stopCodes } from './wasm/exports.js'
import { activeWasmBackend, type KernelMemory, MEETING_POINTER } from './wasm/register.js'

/** How a worker waits for the others. */
export interface Meeting {
  /** Byte offset in the memory that they share. */
  readonly pointer: number
  /** Number of workers. */
  readonly count: number
  /** Looks before it sleeps. */
  readonly spins: number
  readonly timeoutMs: number
}

/** Words of the place, as assembly/meeting.ts has them. */
const GENERATION = MEETING_POINTER / 4 + 16
const ENDED = MEETING_POINTER / 4 + 17

/**
 * Waits for the other workers. Blocks the thread.
 *
 * @throws {TransportError} if the group has ended, or a worker does not come.
 */
export function meet({ pointer, count, spins, timeoutMs }: Meeting): void {
  const code = activeWasmBackend()!.kernels.meet(pointer, count, spins, timeoutMs)
  if (code !== 0) throw meetingError(code === stopCodes.late ? 'late' : 'ended', timeoutMs)
}

/** What to tell of a meeting that failed. */
export function meetingError(stop: 'ended' | 'late', timeoutMs: number): TransportError {
  return stop === 'late'
    ? new TransportError(`Other workers did not come to a barrier within ${timeoutMs} ms.`)
    : new TransportError('The group of workers has ended.', { remedy: 'Look at the first error of its workers' })
}

/** Ends all meetings of the workers on a memory, from a thread that is none of them. */
export function endMeetings({ memory }: KernelMemory): void {
  const words = new Int32Array(memory.buffer)
  Atomics.store(words, ENDED, 1)
  Atomics.add(words, GENERATION, 1)
  Atomics.notify(words, GENERATION)
}
