/** Threads in browsers: module workers. @module */

import type { ParentThread, Thread } from './threads.js'

export type { ParentThread, Thread } from './threads.js'

/** Starts a thread that runs the module at `url`. */
export function spawnThread(url: URL, name: string): Thread {
  const worker = new Worker(url, { type: 'module', name })
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handler) => worker.addEventListener('message', ({ data }) => handler(data)),
    // A web worker does not tell when it ends by itself; an uncaught error is all that there is to hear.
    onExit: (handler) => worker.addEventListener('error', (event) => handler(event.error ?? new Error(event.message))),
    async terminate() {
      worker.terminate()
    },
  }
}

/** The thread that started this one; undefined in a page. */
export function parentThread(): ParentThread | undefined {
  if (typeof window !== 'undefined') return undefined
  return {
    post: (message) => globalThis.postMessage(message),
    onMessage: (handler) => globalThis.addEventListener('message', (event) => handler((event as MessageEvent).data)),
  }
}

/** Number of threads that run at once on this machine. */
export function hardwareThreads(): number {
  return navigator.hardwareConcurrency
}

/** Whether threads can share memory: a page must be cross-origin isolated for it. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated === true
}
