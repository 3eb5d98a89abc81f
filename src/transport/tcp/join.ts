/**
 * How the ranks of a group over TCP find each other.
 *
 * All dial rank 0 and say where they listen. When the last has come, rank 0 sends the table to all, and everyone dials
 * everyone. A rank hears on the socket that it dialed. When all sockets are there nobody listens any more.
 * @module
 */

import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ConfigError, deferred, TransportError } from '../../core/index.js'
import { type Address, formatAddress } from './address.js'
import { Connection } from './connection.js'
import { control } from './frames.js'
import { DialingHandshake, type Hello, type RefusalReason } from './handshake.js'
import { Listener } from './listener.js'
import { safeAddressOf, type TcpSettings } from './tcp-options.js'
import { TcpTransport } from './tcp-transport.js'

/** Pauses between two attempts to reach a rank that does not listen yet. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000

/** How long the sockets between all ranks may take once all have come. */
const LINKING_MS = 30_000

/** Joins the group; resolves when all have come. `signal`: gives up when it is aborted. */
export async function joinTcp(settings: TcpSettings, signal?: AbortSignal): Promise<TcpTransport> {
  const gathering = new Gathering(settings)
  const giveUp = () => gathering.fail(asTransportError(signal!.reason))
  signal?.addEventListener('abort', giveUp)
  if (signal?.aborted) giveUp()
  try {
    return await gathering.run()
  } catch (error) {
    // Lets nobody in any more while it takes leave of those who came.
    gathering.end()
    const failure = gathering.failure ?? error
    gathering.transport.end(asTransportError(failure))
    await gathering.transport.close()
    throw failure
  } finally {
    signal?.removeEventListener('abort', giveUp)
    gathering.end()
  }
}

/** What rank 0 sends to all when all have come. */
interface Table {
  /** Where the others listen, by rank; nothing for rank 0. */
  addresses: Address[]
  /** Of the hearts of this group. */
  key: string
}

class Gathering {
  readonly transport: TcpTransport
  /** The first thing that went wrong. */
  failure: TransportError | undefined
  readonly #settings: TcpSettings
  /** Where the others listen, by rank. */
  #addresses: Address[] = []
  readonly #table = deferred<void>()
  readonly #whole = deferred<void>()
  readonly #stop = new AbortController()
  #listener: Listener | undefined
  #deadline: ReturnType<typeof setTimeout> | undefined
  #hasTable = false
  /** What the last attempt to reach a rank ended with. */
  #lastProblem = ''

  constructor(settings: TcpSettings) {
    this.#settings = settings
    this.transport = new TcpTransport(settings, {
      failed: (error) => this.fail(error),
      table: (body) => this.#take(JSON.parse(new TextDecoder().decode(body)) as Table),
      mayComeAgain: (rank) => this.#mayComeAgain(rank),
    })
    for (const { promise } of [this.#table, this.#whole]) promise.catch(() => {})
  }

  async run(): Promise<TcpTransport> {
    const { rank, worldSize, rendezvous, bind, joinTimeoutMs } = this.#settings
    if (worldSize === 1) return this.transport
    this.#limit(joinTimeoutMs)
    if (rank === 0) await this.#listen({ host: bind.host ?? rendezvous.host, port: bind.port ?? rendezvous.port })
    else await this.#hear(0, rendezvous)
    await this.#table.promise
    this.#limit(Math.min(joinTimeoutMs, LINKING_MS))
    await Promise.all(
      this.#addresses.map((address, to) => (to === 0 || to === rank ? undefined : this.#hear(to, address))),
    )
    await this.#whole.promise
    return this.transport
  }

  end(): void {
    clearTimeout(this.#deadline)
    this.#stop.abort()
    this.#listener?.close()
  }

  async #listen({ host, port }: Address): Promise<void> {
    const address = await safeAddressOf(host, this.#settings)
    this.#listener = await Listener.open({ host: address, port }, this.#settings, {
      admit: (hello) => this.#admit(hello),
      enter: (hello, connection) => this.#enter(hello, connection),
    })
  }

  #admit({ from }: Hello): RefusalReason | undefined {
    return this.transport.peers[from]!.isHere ? 'rank' : undefined
  }

  #enter({ from, port, purpose }: Hello, connection: Connection): void {
    this.transport.peers[from]!.speakOn(connection)
    if (purpose === 'join') this.#addresses[from] = { host: connection.socket.remoteAddress!, port }
    const { peers } = this.transport
    if (this.#settings.rank === 0 && !this.#hasTable && peers.every((peer) => !peer || peer.isHere)) {
      const table = { addresses: this.#addresses, key: randomBytes(32).toString('base64') }
      const body = new TextEncoder().encode(JSON.stringify(table))
      for (const peer of peers) peer?.tell(control.table, body)
      this.#take(table)
    }
    this.#checkWhole()
  }

  #take({ addresses, key }: Table): void {
    this.#addresses = addresses
    this.#hasTable = true
    const { rendezvous, secret } = this.#settings
    this.transport.startHeart({
      addresses: addresses.map((address, rank) => (rank === 0 ? rendezvous : address)),
      bind: this.#listener!.address,
      key,
      secret,
    })
    this.#table.resolve()
  }

  /** Dials a rank until it answers, and hears what it sends. */
  async #hear(to: number, address: Address): Promise<void> {
    const { signal } = this.#stop
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        await this.#dial(to, address)
        break
      } catch (error) {
        // What is refused once is refused for ever; all else may be a matter of time.
        if (error instanceof ConfigError || signal.aborted) throw error
        this.#lastProblem = (error as Error).message
        await pause(pauseMs, undefined, { signal })
      }
    }
    this.#checkWhole()
  }

  async #dial(to: number, { host, port }: Address): Promise<void> {
    const { rank, worldSize, generation, secret, tls, bind } = this.#settings
    const address = await safeAddressOf(host, this.#settings)
    const connection = await Connection.dial({ host: address, port }, tls?.dialing(to), this.#stop.signal)
    try {
      if (!this.#listener)
        await this.#listen({ host: bind.host ?? connection.socket.localAddress!, port: bind.port ?? 0 })
    } catch (error) {
      connection.fail(error as Error)
      throw error
    }
    const handshake = new DialingHandshake(
      {
        purpose: to === 0 ? 'join' : 'link',
        from: rank,
        to,
        worldSize,
        generation,
        port: this.#listener!.address.port,
      },
      secret,
    )
    const peer = this.transport.peers[to]!
    await connection.shakeHands(handshake, {
      first: handshake.hello(),
      taker: peer,
      onDone: () => peer.hearOn(connection),
    })
  }

  #checkWhole(): void {
    if (this.#missing().length === 0) this.#whole.resolve()
  }

  #missing(): number[] {
    return this.transport.peers.flatMap((peer) => (peer && !peer.isLinked ? [peer.rank] : []))
  }

  /** A rank that goes while others are still awaited may be started again; later it is lost. */
  #mayComeAgain(rank: number): boolean {
    if (this.#hasTable || this.#settings.rank !== 0) return false
    this.#settings.log(`dcml: rank 0: Rank ${rank} came, and went before the group was whole`)
    return true
  }

  fail(error: TransportError): void {
    this.failure ??= error
    this.#table.reject(error)
    this.#whole.reject(error)
    this.#stop.abort(error)
  }

  #limit(timeoutMs: number): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.fail(this.#late(timeoutMs)), timeoutMs)
  }

  #late(timeoutMs: number): TransportError {
    const { rank, rendezvous } = this.#settings
    const where = formatAddress(rendezvous)
    if (rank !== 0 && !this.#hasTable && !this.transport.peers[0]!.isHere && this.#lastProblem)
      return new TransportError(`Rank 0 was not met at ${where} within ${timeoutMs} ms: ${this.#lastProblem}`, {
        remedy: 'See that rank 0 runs, and that MASTER_ADDR and MASTER_PORT name its machine for all ranks',
        rank: 0,
      })
    const missing = rank === 0 && !this.#hasTable ? this.#absent() : this.#missing()
    const refused = this.#listener?.refused.join('; ')
    return new TransportError(
      `${missing.length === 1 ? 'Rank' : 'Ranks'} ${missing.join(', ')} did not come within ${timeoutMs} ms.`,
      {
        ...(refused ? { received: refused } : {}),
        remedy: `See that all ranks were started, and that they reach rank 0 at ${where}`,
        rank: missing[0],
      },
    )
  }

  #absent(): number[] {
    return this.transport.peers.flatMap((peer) => (peer && !peer.isHere ? [peer.rank] : []))
  }
}

function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error
  return new TransportError(error instanceof Error ? error.message : String(error), { cause: error })
}
