/** Threads in Node: worker_threads. @module */

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Thread } from './threads.js'

export type { Thread } from './threads.js'

/** Starts a worker thread. The build puts its file beside this one. */
export function spawnWorker(name: string): Thread {
  return threadOf(new Worker(new URL('./worker.js', import.meta.url), { name }))
}

/** Starts a thread that runs objectives of a tuner. */
export function spawnObjectiveWorker(name: string): Thread {
  return threadOf(new Worker(new URL('./objective-worker.js', import.meta.url), { name }))
}

/** Number of threads that run at once on this machine. */
export function hardwareThreads(): number {
  return availableParallelism()
}

/** Whether threads can share memory. */
export function canShareMemory(): boolean {
  return true
}

function threadOf(worker: Worker): Thread {
  let failure: unknown
  let stopped = false
  worker.on('error', (error) => {
    failure = error
  })
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handler) => worker.on('message', handler),
    onExit: (handler) =>
      worker.on('exit', (code) => {
        if (!stopped) handler(failure ?? new Error(`The thread ended with exit code ${code}.`))
      }),
    async terminate() {
      stopped = true
      await worker.terminate()
    },
  }
}
