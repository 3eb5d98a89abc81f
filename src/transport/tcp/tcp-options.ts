/** What a user may say about TCP, and what follows from it. @module */

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { ConnectionOptions, PeerCertificate, TlsOptions } from 'node:tls'
import { ConfigError, checkNames, type ProcessPlace, processPlace, TransportError } from '../../core/index.js'
import { DEFAULT_TIMEOUT_MS, type TransportOptions } from '../transport.js'
import { type Address, parseAddress } from './address.js'

/** Mutual TLS 1.3: every rank shows a certificate of a common authority, and checks that of the other. */
export interface TcpTls {
  /** Certificate of the authority that signed those of all ranks, PEM. No other is trusted. */
  ca: string | Uint8Array
  /** Certificate of this rank, PEM. */
  cert: string | Uint8Array
  /** Its private key, PEM. */
  key: string | Uint8Array
  /** Of the private key. */
  passphrase?: string
  /**
   * The name that the certificate of a rank must bear, as a DNS name among its alternative names or as its common name.
   * @default (rank) => `rank-${rank}`
   */
  identity?: (rank: number) => string
}

/** Options of `tcp()`. */
export interface TcpOptions extends TransportOptions {
  /** Where rank 0 listens and all others find it, `host:port`. @default MASTER_ADDR and MASTER_PORT */
  rendezvous?: string
  /** @default from the environment, see `processPlace()` */
  rank?: number
  /** @default from the environment */
  worldSize?: number
  /** Counts the groups of a job: ranks of different generations refuse each other. @default from the environment, else 0 */
  generation?: number
  /** What all ranks know and nobody else, 16 characters or more. @default DCML_SECRET */
  secret?: string
  /** Encrypts, and shows by certificates who is who. */
  tls?: TcpTls
  /**
   * Address that this rank listens at, `host` or `host:port`. Needed where rank 0 does not hold the address that the
   * others find it at, and to pass a firewall.
   * @default rank 0: the rendezvous; others: the address that they reach rank 0 from, any port
   */
  bind?: string
  /** How long to wait for all ranks to come, in milliseconds. @default 300,000 */
  joinTimeoutMs?: number
  /**
   * How long a peer may give no sign of life before it is taken for lost, in milliseconds; Infinity for as long as it
   * likes. A peer that computes gives them too, from a thread of its own, by datagrams (UDP) to the ports that ranks
   * listen at; where a network does not carry those, it must be longer than any step.
   * @default 4000
   */
  silenceMs?: number
  /** Longest message, in bytes, up to 2^32 - 1. @default 2^30 */
  maxMessageBytes?: number
  /** Is told of strangers and of ranks that were refused, one line each. @default console.warn */
  log?: (line: string) => void
}

const tcpOptions: Record<keyof TcpOptions, true> = {
  rendezvous: true,
  rank: true,
  worldSize: true,
  generation: true,
  secret: true,
  tls: true,
  bind: true,
  timeoutMs: true,
  joinTimeoutMs: true,
  silenceMs: true,
  maxMessageBytes: true,
  log: true,
}

const tlsOptions: Record<keyof TcpTls, true> = { ca: true, cert: true, key: true, passphrase: true, identity: true }

/** @throws {ConfigError} if there is an option of another name. */
export function checkTcpNames(options: TcpOptions): void {
  checkNames('tcp', options, tcpOptions)
  if (options.tls) checkNames('tls of tcp', options.tls, tlsOptions)
}

/** Options with nothing left open. */
export interface TcpSettings extends Required<Omit<TcpOptions, 'rendezvous' | 'tls' | 'bind' | 'secret'>> {
  secret: string
  tls: TlsSides | undefined
  rendezvous: Address
  /** Where this rank shall listen; undefined where it follows from the route to rank 0. */
  bind: Partial<Address>
}

/** TLS for either side of a connection. */
export interface TlsSides {
  accepting: TlsOptions
  dialing(to: number): ConnectionOptions
  /** Whether a certificate is that of a rank. */
  isOf(rank: number, certificate: PeerCertificate): boolean
}

/** Shortest secret: one that can be guessed is none. */
const MIN_SECRET_LENGTH = 16

/**
 * Completes options from the environment.
 *
 * @throws {ConfigError} if rank, world size or rendezvous are unknown or wrong.
 */
export function resolveTcpOptions(options: TcpOptions, given: Partial<ProcessPlace> = {}): TcpSettings {
  const place = { ...environmentPlace(options, given), ...defined(options), ...defined(given) }
  const { rank, worldSize } = place
  if (rank === undefined || worldSize === undefined)
    throw new ConfigError('This process does not know its place in the group.', {
      expected: 'RANK and WORLD_SIZE, or the variables of Open MPI, PMI or Slurm',
      remedy: "Start it by 'dcml launch', or give tcp() rank and worldSize",
    })
  if (!(Number.isInteger(worldSize) && worldSize > 0 && Number.isInteger(rank) && rank >= 0 && rank < worldSize))
    throw new ConfigError('The rank of this process is out of range.', {
      expected: 'a whole number from 0, less than the world size',
      received: `rank ${rank} of ${worldSize}`,
    })
  const secret = options.secret ?? process.env.DCML_SECRET ?? ''
  if (secret !== '' && secret.length < MIN_SECRET_LENGTH)
    throw new ConfigError('The secret of the group is too short.', {
      expected: `${MIN_SECRET_LENGTH} characters or more`,
      received: `${secret.length} characters`,
      remedy: "Take a random one, such as that of 'openssl rand -hex 32'",
    })
  return {
    rank,
    worldSize,
    generation: place.generation ?? 0,
    secret,
    tls: options.tls && tlsSides(options.tls),
    rendezvous: worldSize === 1 ? { host: '127.0.0.1', port: 0 } : rendezvousOf(place.rendezvous),
    bind: options.bind === undefined ? {} : parseAddress(options.bind, 'bind'),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    joinTimeoutMs: options.joinTimeoutMs ?? 300_000,
    silenceMs: options.silenceMs ?? 4000,
    maxMessageBytes: options.maxMessageBytes ?? 2 ** 30,
    log: options.log ?? console.warn,
  }
}

function environmentPlace(options: TcpOptions, given: Partial<ProcessPlace>): Partial<ProcessPlace> {
  const isKnown = (name: 'rank' | 'worldSize') => options[name] !== undefined || given[name] !== undefined
  // Variables that are not asked for may be wrong.
  return isKnown('rank') && isKnown('worldSize') ? {} : (processPlace() ?? {})
}

/**
 * Finds the address of a host, and sees to it that who can reach the group cannot join it.
 *
 * @throws {ConfigError} if it is not loopback and there is neither secret nor TLS.
 */
export async function safeAddressOf(
  host: string,
  { secret, tls }: Pick<TcpSettings, 'secret' | 'tls'>,
): Promise<string> {
  const address = isIP(host) ? host : await look(host)
  if (isLoopback(address) || secret !== '' || tls) return address
  throw new ConfigError('Beyond this machine, a group over TCP needs a secret or TLS.', {
    expected: 'a loopback address, or secret or tls',
    received: host === address ? host : `${host}, which is ${address}`,
    remedy: "Set DCML_SECRET for all ranks, to the output of 'openssl rand -hex 32'",
  })
}

/** Whether an address is that of this machine alone. */
function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

async function look(host: string): Promise<string> {
  try {
    return (await lookup(host)).address
  } catch (cause) {
    throw new TransportError(`The host ${host} is not known.`, { cause })
  }
}

function rendezvousOf(text: string | undefined): Address {
  if (text === undefined)
    throw new ConfigError('It is not said where to meet rank 0.', {
      expected: 'MASTER_ADDR and MASTER_PORT, or rendezvous',
      remedy: "Pass tcp({ rendezvous: 'host:port' })",
    })
  const { host, port } = parseAddress(text, 'rendezvous')
  if (port !== undefined && port > 0) return { host, port }
  throw new ConfigError('The rendezvous has no port.', { expected: 'host:port', received: text })
}

function tlsSides({ ca, cert, key, passphrase, identity = (rank) => `rank-${rank}` }: TcpTls): TlsSides {
  const shared = {
    ca: buffer(ca),
    cert: buffer(cert),
    key: buffer(key),
    ...(passphrase === undefined ? {} : { passphrase }),
    minVersion: 'TLSv1.3' as const,
  }
  const isOf = (rank: number, certificate: PeerCertificate) => namesOf(certificate).includes(identity(rank))
  return {
    // Checked in the handshake, which can tell the other side; a socket that is only closed tells nobody.
    accepting: { ...shared, requestCert: true, rejectUnauthorized: false },
    dialing: (to) => ({
      ...shared,
      rejectUnauthorized: true,
      // Not the name of a host is checked, but that of the rank.
      checkServerIdentity: (_host, certificate) =>
        isOf(to, certificate)
          ? undefined
          : new ConfigError(`What answers as rank ${to} shows the certificate of another.`, {
              expected: identity(to),
              received: namesOf(certificate).join(', '),
            }),
    }),
    isOf,
  }
}

/** The common name and the DNS names of a certificate. */
function namesOf({ subject, subjectaltname = '' }: PeerCertificate): string[] {
  const alternatives = subjectaltname.split(', ').flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []))
  return [...(subject?.CN === undefined ? [] : [subject.CN].flat()), ...alternatives]
}

const buffer = (pem: string | Uint8Array) => (typeof pem === 'string' ? pem : Buffer.from(pem))

/** The place that options name, without what they leave open. */
function defined({ rank, worldSize, rendezvous, generation }: Partial<ProcessPlace>): Partial<ProcessPlace> {
  const place = { rank, worldSize, rendezvous, generation }
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== undefined))
}
