/** Under which name a host can be reached from others. @module */

import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'

/** A port that is not sent to: discard. */
const ANY_PORT = 9

/**
 * The name of this host, unless it leads back to this machine here, as Debian's 127.0.1.1 does: then a rank that listens
 * there is not found by others, and it is the address that this host has on its way to another.
 *
 * @param options - `name`: what the others know this host by; `towards`: one of them, undefined if there is none.
 * @returns The name as well where a way cannot be found.
 */
export async function reachableHost({ name, towards }: { name: string; towards: string | undefined }): Promise<string> {
  if (towards === undefined) return name
  try {
    if (!isLoopback((await lookup(name)).address)) return name
    const { address, family } = await lookup(towards)
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    try {
      // Sends nothing: it only asks the system for the way.
      socket.connect(ANY_PORT, address)
      await once(socket, 'connect')
      const own = socket.address().address
      return isLoopback(own) ? name : own
    } finally {
      socket.close()
    }
  } catch {
    // The name of a host may be one for the remote shell alone.
    return name
  }
}

const isLoopback = (address: string) => address === '::1' || address.startsWith('127.')
