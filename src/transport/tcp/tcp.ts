/** The factory of groups over TCP. @module */

import type { ProcessTransportFactory } from '../transport.js'
import { formatAddress } from './address.js'
import { joinTcp } from './join.js'
import { checkTcpNames, resolveTcpOptions, type TcpOptions } from './tcp-options.js'

/**
 * Processes on this machine or on many, over TCP. Rank 0 listens at the rendezvous, the others find it there.
 *
 * On one machine nothing else is needed. Between machines a secret that all ranks know, or TLS, keeps others out.
 *
 * @throws {ConfigError} on `join`, if the place of this process is unknown, if the group would be open to others, or if
 * another rank refuses this one.
 * @example
 * const transport = await tcp({ rendezvous: 'node0:29500', secret }).join()
 * await transport.send(1, 0, bytes)
 */
export function tcp(options: TcpOptions = {}): ProcessTransportFactory {
  checkTcpNames(options)
  return {
    name: 'tcp',
    kind: 'processes',
    join: async (place, { signal } = {}) => joinTcp(resolveTcpOptions(options, place), signal),
    place() {
      const { rank, worldSize, generation, rendezvous } = resolveTcpOptions(options)
      return { rank, worldSize, generation, rendezvous: formatAddress(rendezvous) }
    },
  }
}
