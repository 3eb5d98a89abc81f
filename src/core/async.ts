/** Small tools for asynchronous code. @module */

/** A promise with its two ends in hand. */
export interface Deferred<T> {
  promise: Promise<T>
  resolve(value: T): void
  reject(reason: unknown): void
}

/** Makes a promise that is settled from outside. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** Runs operations one after another, in the order of the calls; the next one also when one fails. */
export class CallQueue {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation)
    this.#last = result.catch(() => {})
    return result
  }
}

/** How long a wait looks at every turn of the event loop. */
const EAGER_MS = 20

/**
 * Waits between looks at something that tells nobody when it is done: a turn of the event loop, or a millisecond once
 * that has gone on for a while.
 */
export function betweenLooks(): () => Promise<void> {
  const startedAt = performance.now()
  return () =>
    performance.now() - startedAt < EAGER_MS ? nextTurn() : new Promise((resolve) => setTimeout(resolve, 1))
}

/** Resolves after everything that is due now had its turn: timers, sockets, messages. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else {
      // setTimeout is clamped to 4 ms in browsers; a message channel is not.
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        port1.close()
        resolve()
      }
      port2.postMessage(null)
    }
  })
}
