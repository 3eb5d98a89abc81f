/** Addresses as users write them. @module */

import { isIP } from 'node:net'
import { ConfigError } from '../../core/index.js'

/** Where somebody listens. */
export interface Address {
  host: string
  port: number
}

/**
 * Reads `host:port`, `[v6]:port` or `host`.
 *
 * @param what - What it is the address of, for the error.
 * @throws {ConfigError} if it is none of these.
 */
export function parseAddress(text: string, what: string): { host: string; port?: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? (isIP(text) ? [text, text] : undefined)
  const port = match?.[3] === undefined ? undefined : Number(match[3])
  if (!match || (port !== undefined && port > 65_535))
    throw new ConfigError(`${what} is no address.`, { expected: 'host:port', received: text })
  const host = (match[1] ?? match[2])!
  return { host, ...(port === undefined ? {} : { port }) }
}

/** Writes what `parseAddress` reads. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
