/**
 * The seat of rank 0 in a group that may change.
 *
 * Every other process keeps a link to the lobby, a group of two with rank 0, for as long as it lives. Through it a
 * process applies for a place, learns its rank in the next group, and shows that it lives. Groups themselves form at the
 * rendezvous, one after another.
 * @module
 */

import { type Deferred, deferred, nextTurn, TransportError, WorkerError } from '../core/index.js'
import type { Group } from '../training/index.js'
import type { ProcessTransportFactory, Transport } from '../transport/index.js'
import {
  type Application,
  type Assignment,
  AT_ONCE_MS,
  type ElasticTerms,
  firstGeneration,
  LOBBY_TAG,
  lobbyOf,
  type MeetingPlace,
} from './elastic-options.js'
import { pack, unpack } from './pack.js'
import { ProcessSeat } from './process-seat.js'

/** A process in the lobby. */
interface Guest {
  id: number
  link: Transport
  /** Whether it has applied for a place in the next group. */
  isWaiting: boolean
}

/** Leads; lets others in and forms the groups. */
export class ElasticLeader extends ProcessSeat {
  readonly leads = true
  readonly #factory: ProcessTransportFactory
  readonly #terms: ElasticTerms
  readonly #place: MeetingPlace
  readonly #guests = new Map<number, Guest>()
  readonly #closing = new AbortController()
  #accepting: Promise<void> | undefined
  /** Settled, and made anew, whenever somebody comes, applies or goes. */
  #change: Deferred<void> = deferred()
  #group: Group

  constructor(factory: ProcessTransportFactory, { terms, place }: { terms: ElasticTerms; place: MeetingPlace }) {
    super()
    this.#factory = factory
    this.#terms = terms
    this.#place = place
    this.#group = { rank: 0, size: 1, generation: firstGeneration(place) }
  }

  get group(): Group {
    return this.#group
  }

  override get elastic() {
    const isFull = this.#group.size >= this.#terms.max
    const isAwaited = [...this.#guests.values()].some(({ isWaiting }) => isWaiting)
    return { commitEverySteps: this.#terms.commitEverySteps, hasNewcomers: isAwaited && !isFull }
  }

  override async close(): Promise<void> {
    this.#closing.abort()
    this.#announceChange()
    await super.close()
    await Promise.all([...this.#guests.values()].map(({ link }) => link.close()))
    await this.#accepting
  }

  /** Lets processes into the lobby, one after another. */
  async #accept(): Promise<void> {
    const { signal } = this.#closing
    const place = { rank: 0, worldSize: 2, rendezvous: lobbyOf(this.#place), generation: this.#place.generation ?? 0 }
    while (!signal.aborted)
      try {
        const link = await this.#factory.join(place, { signal })
        void this.#attend(link)
      } catch (error) {
        if (signal.aborted) return
        // Nobody came for long, or somebody went in the door.
        if (error instanceof TransportError) {
          await nextTurn()
          continue
        }
        this.#change.reject(error)
        return
      }
  }

  /** Hears a guest for as long as it lives. */
  async #attend(link: Transport): Promise<void> {
    let guest: Guest | undefined
    for (;;) {
      const since = performance.now()
      try {
        const { id } = unpack(await link.receive(1, LOBBY_TAG)) as Application
        guest ??= { id, link, isWaiting: false }
        // One that was lost and came back takes its own place.
        if (this.#guests.get(id) !== guest) await this.#guests.get(id)?.link.close()
        this.#guests.set(id, guest)
        guest.isWaiting = true
      } catch {
        if (performance.now() - since > AT_ONCE_MS && !this.#closing.signal.aborted) continue
        if (guest && this.#guests.get(guest.id) === guest) this.#guests.delete(guest.id)
        await link.close()
        this.#announceChange()
        return
      }
      this.#announceChange()
    }
  }

  #announceChange(): void {
    const { resolve } = this.#change
    this.#change = deferred()
    this.#change.promise.catch(() => {})
    resolve()
  }

  /** Forms the next group of those who wait. */
  protected async join(): Promise<Transport> {
    this.#accepting ??= this.#accept()
    // Those of the last group that still live will apply as soon as they know that it has ended.
    const expected = new Set(this.#guests.keys())
    for (;;) {
      const chosen = await this.#choose(expected)
      const generation = this.#group.generation + 1
      const worldSize = chosen.length + 1
      this.#group = { rank: 0, size: worldSize, generation }
      const failing = new AbortController()
      const watch = this.#watch(chosen, failing)
      try {
        await Promise.all(chosen.map(({ link }, i) => tell(link, { rank: i + 1, worldSize, generation })))
        const place = { rank: 0, worldSize, generation, rendezvous: this.#place.rendezvous }
        return await this.#factory.join(place, { signal: AbortSignal.any([failing.signal, this.#closing.signal]) })
      } catch (error) {
        if (!(error instanceof TransportError)) throw error
        await Promise.all(chosen.map(({ link }) => tell(link, { again: true }).catch(() => {})))
      } finally {
        watch.stop()
      }
    }
  }

  /** Waits until those who can come have come. @throws {WorkerError} if they are too few, or the seat is closed. */
  async #choose(expected: ReadonlySet<number>): Promise<Guest[]> {
    const { min, max, waitMs } = this.#terms
    const isFirst = this.#group.generation === firstGeneration(this.#place)
    const deadline = performance.now() + waitMs
    for (;;) {
      if (this.#closing.signal.aborted) throw new WorkerError('The training was closed while its group formed.')
      const change = this.#change.promise
      const guests = [...this.#guests.values()]
      const waiting = guests.filter(({ isWaiting }) => isWaiting).sort((a, b) => a.id - b.id)
      const size = Math.min(max, waiting.length + 1)
      const isLate = performance.now() >= deadline
      const isPending = isFirst || guests.some(({ id, isWaiting }) => !isWaiting && expected.has(id))
      if (size === max || (size >= min && (isLate || !isPending))) {
        const chosen = waiting.slice(0, size - 1)
        for (const guest of chosen) guest.isWaiting = false
        return chosen
      }
      if (isLate)
        throw new WorkerError('Too few processes are left to train.', {
          expected: `${min} or more`,
          received: `${size} after ${waitMs} ms`,
          remedy: "Start more, or resume from the checkpoint: 'dcml launch --restarts' does it",
        })
      await within(change, deadline - performance.now())
    }
  }

  /** Ends a group that forms when one of those chosen is gone. */
  #watch(chosen: readonly Guest[], failing: AbortController): { stop(): void } {
    let isOver = false
    const look = async () => {
      while (!isOver) {
        const lost = chosen.find((guest) => this.#guests.get(guest.id) !== guest)
        if (lost) {
          const reason = new TransportError(`Process ${lost.id} was lost while the group formed.`, { rank: lost.id })
          failing.abort(reason)
          return
        }
        await this.#change.promise
      }
    }
    look().catch((error: unknown) => failing.abort(error))
    return {
      stop() {
        isOver = true
      },
    }
  }
}

function tell(link: Transport, assignment: Assignment): Promise<void> {
  return link.send(1, LOBBY_TAG, pack(assignment))
}

/** Waits for a promise, but not longer than this many milliseconds. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
