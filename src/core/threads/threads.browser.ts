/** Threads in browsers: module workers. @module */

import type { Thread } from './threads.js'

export type { Thread } from './threads.js'

// Bundlers look for this very form: `new Worker(new URL('...', import.meta.url), ...)`.

/** Starts a worker thread. The build puts its file beside this one. */
export function spawnWorker(name: string): Thread {
  return threadOf(new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name }))
}

/** Starts a thread that runs objectives of a tuner. */
export function spawnObjectiveWorker(name: string): Thread {
  return threadOf(new Worker(new URL('./objective-worker.js', import.meta.url), { type: 'module', name }))
}

/** Number of threads that run at once on this machine. */
export function hardwareThreads(): number {
  return navigator.hardwareConcurrency
}

/** Whether threads can share memory: a page must be cross-origin isolated for it. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated === true
}

function threadOf(worker: Worker): Thread {
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handler) => worker.addEventListener('message', ({ data }) => handler(data)),
    // A web worker does not tell when it ends by itself; an uncaught error is all that there is to hear.
    onExit: (handler) =>
      worker.addEventListener('error', (event) => handler(event.error ?? new Error(reasonOf(event)))),
    async terminate() {
      worker.terminate()
    },
  }
}

/** A script that does not load gives an event without a message. */
function reasonOf({ message }: ErrorEvent): string {
  return (
    message ||
    'its script does not load. It must come from the origin of the page, with a COEP header like the page; with Vite, ' +
      "use the plugin of 'dcml/vite'"
  )
}
