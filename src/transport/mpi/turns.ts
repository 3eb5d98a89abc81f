/** Waits for MPI, which goes on only when it is called, without holding the event loop. @module */

import { type Deferred, deferred } from '../../core/index.js'
import type { Mpi, MpiRequest } from './calls.js'

/** How long to look at every turn of the event loop before sleeping between looks: a late peer may take seconds. */
const EAGER_MS = 2
/** The same where processes share cores, and the one that is waited for may need this one's. */
const EAGER_SHARED_MS = 0.1
/** Between looks, once asleep. */
const SLEEP_MS = 1
/** The same while MPI works on another thread alone, which every look disturbs. */
const LONG_SLEEP_MS = 50

interface Wait {
  /** Whether something may come at any moment that only a look brings in. */
  readonly isUrgent: boolean
  isDone(): boolean
  /** Throws once there is nothing to wait for any more. */
  check(): void
  result: Deferred<void>
}

/** Looks after requests under way, for as long as somebody waits. */
export class MpiTurns {
  readonly #mpi: Mpi
  readonly #eagerMs: number
  readonly #look: () => boolean
  readonly #waits = new Set<Wait>()
  /** Requests that nobody waits for any more; MPI may still use their memory. */
  readonly #loose = new Set<MpiRequest>()
  #eagerUntil = 0
  #isNext = false
  #timer: NodeJS.Timeout | undefined

  /**
   * @param options.sharesCores - Whether there are more processes than cores on this machine.
   * @param options.look - Called at every turn; tells whether something came.
   */
  constructor(mpi: Mpi, { sharesCores, look }: { sharesCores: boolean; look: () => boolean }) {
    this.#mpi = mpi
    this.#eagerMs = sharesCores ? EAGER_SHARED_MS : EAGER_MS
    this.#look = look
  }

  /** Waits for a request. When `check` throws, the wait ends with that error. */
  async request(request: MpiRequest, check: () => void): Promise<void> {
    if (this.#mpi.isDone(request)) return
    try {
      await this.#until({ isDone: () => this.#mpi.isDone(request), check, isUrgent: true })
    } catch (error) {
      this.release(request)
      throw error
    }
  }

  /**
   * Keeps looking while a promise is pending. When `check` throws, the wait ends with that error.
   *
   * @param options.isUrgent - False for a call on another thread, which needs no looks to come to its end.
   */
  async during<T>(promise: Promise<T>, { check = () => {}, isUrgent = true } = {}): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    await Promise.race([promise, this.#until({ isDone: () => isSettled, check, isUrgent })])
    return promise
  }

  /** Keeps a request's memory until MPI is done with it, though nobody waits. */
  release(request: MpiRequest): void {
    this.#loose.add(request)
  }

  #until(wait: Omit<Wait, 'result'>): Promise<void> {
    const result = deferred<void>()
    this.#waits.add({ ...wait, result })
    if (wait.isUrgent) this.#hurry()
    this.#schedule()
    return result.promise
  }

  readonly #turn = () => {
    this.#isNext = false
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#look()) this.#hurry()
    for (const wait of this.#waits)
      try {
        if (!wait.isDone()) wait.check()
        else {
          this.#waits.delete(wait)
          this.#hurry()
          wait.result.resolve()
        }
      } catch (error) {
        this.#waits.delete(wait)
        wait.result.reject(error)
      }
    for (const request of this.#loose) if (this.#mpi.isDone(request)) this.#loose.delete(request)
    this.#schedule()
  }

  #hurry(): void {
    this.#eagerUntil = performance.now() + this.#eagerMs
  }

  #schedule(): void {
    if (this.#waits.size === 0 || this.#isNext) return
    const isUrgent = [...this.#waits].some((wait) => wait.isUrgent)
    if (isUrgent && performance.now() < this.#eagerUntil) {
      this.#isNext = true
      setImmediate(this.#turn)
    } else this.#timer ??= setTimeout(this.#turn, isUrgent ? SLEEP_MS : LONG_SLEEP_MS)
  }
}
