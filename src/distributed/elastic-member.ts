/** The seat of a process that follows, in a group that may change: see `ElasticLeader`. @module */

import { ConfigError, TransportError, WorkerError } from '../core/index.js'
import type { Group } from '../training/index.js'
import type { ProcessTransportFactory, Transport } from '../transport/index.js'
import {
  type Application,
  type Assignment,
  AT_ONCE_MS,
  type ElasticTerms,
  LOBBY_TAG,
  lobbyOf,
  type MeetingPlace,
  type Place,
} from './elastic-options.js'
import { pack, unpack } from './pack.js'
import { ProcessSeat } from './process-seat.js'

/** How long a refusal may come of two that knock at once, and not of a wrong secret or version. */
const COLLISION_MS = 5000

/** Time between the knocks of two that start at once. */
const KNOCK_MS = 30

/** Waits in the lobby for its place in each group. */
export class ElasticMember extends ProcessSeat {
  readonly leads = false
  readonly #factory: ProcessTransportFactory
  readonly #terms: ElasticTerms
  readonly #place: MeetingPlace
  readonly #closing = new AbortController()
  #link: Transport | undefined
  /** What the leader says next. */
  #next: Promise<Assignment> | undefined
  #group: Group

  constructor(factory: ProcessTransportFactory, { terms, place }: { terms: ElasticTerms; place: MeetingPlace }) {
    super()
    this.#factory = factory
    this.#terms = terms
    this.#place = place
    this.#group = { rank: place.rank, size: place.worldSize, generation: 0 }
  }

  get group(): Group {
    return this.#group
  }

  override get elastic() {
    return { commitEverySteps: this.#terms.commitEverySteps, hasNewcomers: false }
  }

  override async close(): Promise<void> {
    this.#closing.abort()
    // First, for who waits to hear of its place would wait on.
    await this.#link?.close()
    await super.close()
  }

  /** Applies until a group has formed that this process is in. @throws {WorkerError} if the leader is lost. */
  protected async join(): Promise<Transport> {
    this.#link ??= await this.#meet()
    await this.#apply()
    for (;;) {
      const said = await this.#listen()
      this.#next = undefined
      const transport = 'again' in said ? undefined : await this.#join(said)
      if (transport) return transport
      await this.#apply()
    }
  }

  /** Joins a group; undefined if it does not come about. */
  async #join({ rank, worldSize, generation }: Place): Promise<Transport | undefined> {
    const failing = new AbortController()
    const signal = AbortSignal.any([failing.signal, this.#closing.signal])
    const place = { rank, worldSize, generation, rendezvous: this.#place.rendezvous }
    const joining = this.#factory.join(place, { signal })
    let transport: Transport | undefined
    try {
      // Whatever the leader says before all have joined, it is that this group has failed.
      transport = await Promise.race([joining, this.#listen().then(() => undefined)])
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
    } finally {
      if (!transport) {
        failing.abort(new TransportError('The group did not come about.'))
        joining.then((late) => late.close()).catch(() => {})
      }
    }
    if (transport) this.#group = { rank, size: worldSize, generation }
    return transport
  }

  async #apply(): Promise<void> {
    const application: Application = { id: this.#place.rank }
    // If it does not arrive, the link is gone, and listening tells.
    await this.#link!.send(0, LOBBY_TAG, pack(application)).catch(() => {})
  }

  /** What the leader says next; the same until it is taken away. */
  #listen(): Promise<Assignment> {
    if (!this.#next) {
      this.#next = this.#receive()
      this.#next.catch(() => {})
    }
    return this.#next
  }

  async #receive(): Promise<Assignment> {
    for (;;) {
      const since = performance.now()
      try {
        return unpack(await this.#link!.receive(0, LOBBY_TAG)) as Assignment
      } catch (cause) {
        if (performance.now() - since > AT_ONCE_MS) continue
        throw new WorkerError(`Rank 0, which leads, is lost: ${(cause as Error).message}`, { cause })
      }
    }
  }

  /** Enters the lobby. */
  async #meet(): Promise<Transport> {
    const place = { rank: 1, worldSize: 2, rendezvous: lobbyOf(this.#place), generation: this.#place.generation ?? 0 }
    const { waitMs } = this.#terms
    const signal = AbortSignal.any([AbortSignal.timeout(waitMs), this.#closing.signal])
    let refusedAt: number | undefined
    // One after another, for the door lets in one at a time.
    await pause(KNOCK_MS * (this.#place.rank - 1))
    for (;;)
      try {
        return await this.#factory.join(place, { signal })
      } catch (error) {
        if (error instanceof ConfigError) refusedAt ??= performance.now()
        const isRefused = error instanceof ConfigError && performance.now() - refusedAt! > COLLISION_MS
        if (signal.aborted || isRefused) throw error
        await pause(KNOCK_MS * this.#place.rank)
      }
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
