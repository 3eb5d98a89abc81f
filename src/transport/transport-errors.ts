/** What all transports have to say to their callers. @module */

import { TransportError } from '../core/index.js'

/** For whoever waits for a peer that has closed its end. */
export const gone = (rank: number) => new TransportError(`Rank ${rank} has left the group.`, { rank })

/** For whoever uses an end after it was closed. */
export const closed = () => new TransportError('The transport is closed.')

/** For everybody, after `abort`. */
export const ended = (reason: string) => new TransportError(`The group was ended: ${reason}`)

/** @throws {TransportError} if there is no such peer. */
export function checkRank(rank: number, worldSize: number): void {
  if (Number.isInteger(rank) && rank >= 0 && rank < worldSize) return
  throw new TransportError('There is no such rank.', { expected: `0 to ${worldSize - 1}`, received: rank })
}
