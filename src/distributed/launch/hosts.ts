/** Which rank runs on which host. @module */

import { hostname } from 'node:os'
import { ConfigError, checkWhole } from '../../core/index.js'

/** The ranks of one host: `first` to `first + count - 1`. */
export interface HostRanks {
  /** Undefined for the machine of the launcher. */
  host: string | undefined
  first: number
  count: number
}

/**
 * Gives each host its ranks, in order, up to its slots.
 *
 * @param processes - How many ranks; by default one for each slot.
 * @param hosts - `a:2,b:2`, slots behind the colon, 1 by default; undefined for this machine alone.
 * @throws {ConfigError} if the list cannot be read, or has too few slots.
 */
export function placeRanks(processes: number | undefined, hosts: string | undefined): HostRanks[] {
  if (processes !== undefined) checkWhole('The number of processes', processes)
  if (hosts === undefined) {
    if (processes !== undefined) return [{ host: undefined, first: 0, count: processes }]
    throw new ConfigError('It is not said how many processes to launch.', { remedy: 'Pass -n 4, or --hosts a:2,b:2' })
  }
  const list = hosts.split(',').map((entry) => {
    const match = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::([1-9]\d{0,5}))?$/.exec(entry.trim())
    // A name that begins with a dash would be an option of the remote shell.
    if (match && !match[1]!.startsWith('-'))
      return { name: match[1]!.replace(/^\[|\]$/g, ''), slots: Number(match[2] ?? 1) }
    throw new ConfigError('The list of hosts cannot be read.', { expected: 'a:2,b:2', received: hosts })
  })
  const slots = list.reduce((sum, entry) => sum + entry.slots, 0)
  const wanted = processes ?? slots
  if (wanted > slots)
    throw new ConfigError('The hosts have too few slots.', {
      expected: `${wanted}, as many as processes`,
      received: `${slots} in ${hosts}`,
    })
  const placed: HostRanks[] = []
  let first = 0
  for (const { name, slots } of list) {
    const count = Math.min(slots, wanted - first)
    if (count > 0) placed.push({ host: isHere(name) ? undefined : name, first, count })
    first += count
  }
  return placed
}

const isHere = (name: string) => name === 'localhost' || name === '127.0.0.1' || name === '::1' || name === hostname()
