/** The parent of a worker thread in Node. @module */

import { parentPort } from 'node:worker_threads'
import type { ParentThread } from './parent-thread.js'

/** The thread that started this one; undefined in the main thread. */
export function parentThread(): ParentThread | undefined {
  const port = parentPort
  if (!port) return undefined
  return { post: (message) => port.postMessage(message), onMessage: (handler) => port.on('message', handler) }
}
