/** Threads in Node: worker_threads. @module */

import { availableParallelism } from 'node:os'
import { parentPort, Worker } from 'node:worker_threads'
import type { ParentThread, Thread } from './threads.js'

export type { ParentThread, Thread } from './threads.js'

/** Starts a thread that runs the module at `url`. */
export function spawnThread(url: URL, name: string): Thread {
  const worker = new Worker(url, { name })
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

/** The thread that started this one; undefined in the main thread. */
export function parentThread(): ParentThread | undefined {
  const port = parentPort
  if (!port) return undefined
  return { post: (message) => port.postMessage(message), onMessage: (handler) => port.on('message', handler) }
}

/** Number of threads that run at once on this machine. */
export function hardwareThreads(): number {
  return availableParallelism()
}

/** Whether threads can share memory. */
export function canShareMemory(): boolean {
  return true
}
