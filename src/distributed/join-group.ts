/** How the threads of a crew get at their transport: the factory stays with the coordinator, tickets travel. @module */

import { ConfigError } from '../core/index.js'
import {
  type SharedTicket,
  sharedMemory,
  type ThreadTransportFactory,
  type Transport,
  type TransportTicket,
} from '../transport/index.js'

/** What a thread needs to join the group; plain data that can be posted. */
export interface GroupTicket {
  ticket: TransportTicket
  /** Module that exports `join(ticket)`; none for the shared memory that dcml brings. */
  module?: string
}

/**
 * Checks that the threads of this process can join what a factory opens.
 *
 * @throws {ConfigError} if they cannot; it says what can be used instead.
 */
export function checkThreadTransport(factory: ThreadTransportFactory): ThreadTransportFactory {
  const remedy = 'Use sharedMemory(), which is the default'
  // JavaScript can pass anything; an array of ends has a join of its own.
  if (typeof factory?.join !== 'function' || factory.kind !== 'threads')
    throw new ConfigError('The transport of the workers is not a factory.', {
      expected: 'what sharedMemory() returns, or the like',
      received: factory,
      remedy: `The ends that memoryTransports makes cannot leave their thread. ${remedy}`,
    })
  if (factory.module === undefined && factory.name !== sharedMemory().name)
    throw new ConfigError(`The threads cannot join the transport '${factory.name}'.`, {
      remedy: `Give its factory a 'module': the address of a module that exports join(ticket). Or: ${remedy}`,
    })
  return factory
}

/** Opens a group; one ticket per rank, in order. */
export async function openTickets(factory: ThreadTransportFactory, worldSize: number): Promise<GroupTicket[]> {
  const tickets = await factory.open(worldSize)
  return tickets.map((ticket) =>
    factory.module === undefined ? { ticket } : { ticket, module: String(factory.module) },
  )
}

/** Joins the group, in the thread that the ticket was posted to. */
export async function joinWith({ ticket, module }: GroupTicket): Promise<Transport> {
  if (module === undefined) return sharedMemory().join(ticket as SharedTicket)
  const { join } = (await import(/* @vite-ignore */ module)) as Partial<Pick<ThreadTransportFactory, 'join'>>
  if (typeof join === 'function') return join(ticket)
  throw new ConfigError('The module of a transport does not export join(ticket).', { received: module })
}
