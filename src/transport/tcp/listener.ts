/**
 * Where a rank is dialed. Lets nobody in who does not prove to belong to the group: a stranger costs one socket for a
 * few seconds, and one line in the log.
 * @module
 */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { ConfigError } from '../../core/index.js'
import { type Address, formatAddress } from './address.js'
import { Connection, HANDSHAKE_MS, nobody } from './connection.js'
import { AcceptingHandshake, type Hello, type RefusalReason } from './handshake.js'
import type { TcpSettings, TlsSides } from './tcp-options.js'

/** Sockets of strangers at one time, beside those of the group. */
const MAX_STRANGERS = 256

/** Who comes in. */
export interface Gate {
  /** Says why a rank that has proven itself cannot be let in, or nothing. */
  admit(hello: Hello): RefusalReason | undefined
  /** Takes the connection of a rank that was let in. */
  enter(hello: Hello, connection: Connection): void
}

/** The listening socket of a rank. */
export class Listener {
  readonly #server: Server
  readonly #settings: TcpSettings
  readonly #gate: Gate
  /** By the name of their other end, for of a TLS socket there are two objects. */
  readonly #strangers = new Map<string, Socket>()
  /** The last that were refused, for the error of a group that does not come together. */
  readonly refused: string[] = []

  /** Listens. @throws {ConfigError} if the address is not free, or not one of this machine. */
  static async open(address: Address, settings: TcpSettings, gate: Gate): Promise<Listener> {
    const listener = new Listener(settings, gate)
    listener.#server.listen({ ...address, exclusive: true })
    try {
      await once(listener.#server, 'listening')
    } catch (error) {
      throw listenError(error as NodeJS.ErrnoException, address, settings.rank)
    }
    return listener
  }

  private constructor(settings: TcpSettings, gate: Gate) {
    this.#settings = settings
    this.#gate = gate
    this.#server = settings.tls
      ? createTlsServer({ ...settings.tls.accepting, handshakeTimeout: HANDSHAKE_MS })
      : createServer()
    // Of TLS as well: the socket below it.
    this.#server.on('connection', (socket: Socket) => this.#count(socket))
    this.#server.on(settings.tls ? 'secureConnection' : 'connection', (socket: Socket) => this.#receive(socket))
    this.#server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#refuse(nameOf(socket), undefined, error)
      socket.destroy()
    })
  }

  /** Where it listens. */
  get address(): Address {
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  /** Takes no more connections, and closes those of strangers. Those that came in stay. */
  close(): void {
    this.#server.close()
    for (const socket of this.#strangers.values()) socket.destroy()
  }

  #count(socket: Socket): void {
    if (this.#strangers.size >= MAX_STRANGERS + this.#settings.worldSize) {
      socket.destroy()
      return
    }
    const name = nameOf(socket)
    this.#strangers.set(name, socket)
    socket.once('close', () => this.#strangers.delete(name))
  }

  #receive(socket: Socket): void {
    if (socket.destroyed) return
    const connection = Connection.accept(socket)
    const { name } = connection
    const { tls } = this.#settings
    const handshake = new AcceptingHandshake({
      ...this.#settings,
      mayBe: (rank) => !tls || shows(socket as TLSSocket, rank, tls),
      admit: (hello) => this.#gate.admit(hello),
    })
    const onDone = () => {
      this.#strangers.delete(name)
      this.#gate.enter(handshake.hello!, connection)
    }
    connection
      .shakeHands(handshake, { taker: nobody, onDone })
      .catch((error) => this.#refuse(name, handshake.hello?.from, error))
  }

  #refuse(name: string, rank: number | undefined, { message }: Error): void {
    const said = rank === undefined ? '' : `, which says that it is rank ${rank}`
    const line = `Refused ${name}${said}: ${message}`
    this.refused.push(line)
    if (this.refused.length > 3) this.refused.shift()
    this.#settings.log(`dcml: rank ${this.#settings.rank}: ${line}`)
  }
}

/** Whether the other end has shown a certificate of the authority, and that of a rank. */
const shows = (socket: TLSSocket, rank: number, { isOf }: TlsSides) =>
  socket.authorized && isOf(rank, socket.getPeerCertificate())

const nameOf = (socket: Socket) => `${socket.remoteAddress}:${socket.remotePort}`

function listenError(error: NodeJS.ErrnoException, address: Address, rank: number): unknown {
  const received = formatAddress(address)
  if (error.code === 'EADDRINUSE')
    return new ConfigError(`Rank ${rank} cannot listen: the port is taken.`, {
      received,
      remedy: `Choose a free port, and see that no other process runs as rank ${rank}`,
      cause: error,
    })
  if (error.code === 'EADDRNOTAVAIL')
    return new ConfigError(`Rank ${rank} cannot listen at an address that its machine does not hold.`, {
      received,
      remedy: "Name an address of this machine, or of all its networks, with bind: '0.0.0.0'",
      cause: error,
    })
  return error
}
