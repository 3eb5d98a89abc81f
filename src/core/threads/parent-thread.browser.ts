/**
 * The parent of a web worker.
 *
 * Apart from threads.browser.ts, which names the worker's file: a bundler that follows that name while it bundles the
 * worker would go round in a circle.
 * @module
 */

import type { ParentThread } from './parent-thread.js'

/** The thread that started this one; undefined in a page. */
export function parentThread(): ParentThread | undefined {
  if (typeof window !== 'undefined') return undefined
  return {
    post: (message) => globalThis.postMessage(message),
    onMessage: (handler) => globalThis.addEventListener('message', (event) => handler((event as MessageEvent).data)),
  }
}
