/** Reading ahead. @module */

import type { Columns } from './columns.js'
import type { ColumnStream } from './stream.js'

const END: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * Keeps `count` chunks ready, or on their way, while the consumer works on one. One is read at a time, and no further
 * than that. An error comes when its turn does. When the consumer stops, so does the reading, after the chunk under way.
 */
export async function* prefetchStream(stream: ColumnStream, count: number): ColumnStream {
  const iterator = stream[Symbol.asyncIterator]()
  const ahead: Promise<IteratorResult<Columns>>[] = []
  let isStopped = false
  let last: Promise<IteratorResult<Columns> | undefined> = Promise.resolve(undefined)
  const ask = () => {
    const next = last.then((before) => (before?.done || isStopped ? END : iterator.next()))
    // Until its turn comes a failure must not count as unhandled.
    next.catch(() => {})
    ahead.push(next)
    last = next
  }
  try {
    for (let i = 0; i < count; i++) ask()
    for (;;) {
      const next = await ahead.shift()!
      if (next.done) return
      ask()
      yield next.value
    }
  } finally {
    isStopped = true
    await last.catch(() => {})
    await iterator.return?.()
  }
}
