/** Several datasets as one. @module */

import { ConfigError, Random, withDefaults } from '../core/index.js'
import { type Columns, rowsOf } from './columns.js'
import { Dataset } from './dataset.js'
import { type ColumnStream, gatherReferences, type RowReference } from './stream.js'

/** How datasets are interleaved. */
export interface InterleaveOptions {
  /** How often a row comes from each, as shares of their sum, above 0: drawn at random. @default in turn, row by row */
  weights?: readonly number[]
  /** Integer, 0 to 2^32 - 1, for `weights`. Another order in each epoch of training. @default 0 */
  seed?: number
  /**
   * `'last'`: goes on with the others when one has no more rows, so that every row comes once; `'first'`: ends there,
   * so that the shares hold to the end.
   * @default 'last'
   */
  until?: 'first' | 'last'
}

/**
 * The rows of several datasets with the same columns, mixed as they are read. The result is a stream.
 *
 * @throws {ConfigError} for no datasets, or weights that do not fit them.
 * @throws {DataError} while it is read, if the datasets differ in their columns.
 * @example
 * const mixed = interleave([english, french], { weights: [3, 1], seed: 7 })
 */
export function interleave(datasets: readonly Dataset[], options: InterleaveOptions = {}): Dataset {
  const { weights, seed, until } = withDefaults('interleave', options, { weights: undefined, seed: 0, until: 'last' })
  if (datasets.length === 0) throw new ConfigError('interleave needs datasets.', { received: '[]' })
  if (weights && (weights.length !== datasets.length || !weights.every((weight) => weight > 0 && weight < Infinity)))
    throw new ConfigError('The weights of interleave do not fit.', {
      expected: `${datasets.length} numbers above 0, one for each dataset`,
      received: weights,
    })
  if (until !== 'first' && until !== 'last')
    throw new ConfigError('Unknown value of until.', { expected: "'first' or 'last'", received: until })
  const sizes = datasets.map(({ size }) => size)
  const size = sizes.reduce((sum, own) => (sum === undefined || own === undefined ? undefined : sum + own), 0)
  return Dataset.fromBatches(
    ({ epoch }) => {
      const random = new Random(seed, epoch)
      const choose = weights ? (open: readonly number[]) => drawn(open, weights, random.uniform()) : inTurn()
      const streams = datasets.map((dataset) => dataset.batches(undefined, { epoch }))
      return gatherReferences(mixed(streams, choose, until))
    },
    size === undefined || until === 'first' ? {} : { size },
  )
}

/** @param choose - Which of the streams that have rows, given by their numbers, is next. */
async function* mixed(
  streams: readonly ColumnStream[],
  choose: (open: readonly number[]) => number,
  until: 'first' | 'last',
): AsyncGenerator<RowReference> {
  const readers = streams.map(rowsIn)
  let open = readers.map((_, i) => i)
  try {
    while (open.length > 0) {
      const chosen = choose(open)
      const { done, value } = await readers[chosen]!.next()
      if (!done) yield value
      else if (until === 'first') return
      else open = open.filter((other) => other !== chosen)
    }
  } finally {
    for (const reader of readers) await reader.return(undefined)
  }
}

async function* rowsIn(stream: AsyncIterable<Columns>): AsyncGenerator<RowReference> {
  for await (const chunk of stream) for (let row = 0; row < rowsOf(chunk); row++) yield { chunk, row }
}

function inTurn(): (open: readonly number[]) => number {
  let before = -1
  return (open) => {
    before = open.find((stream) => stream > before) ?? open[0]!
    return before
  }
}

/** @param at - Uniform in [0, 1). */
function drawn(open: readonly number[], weights: readonly number[], at: number): number {
  let left = at * open.reduce((sum, stream) => sum + weights[stream]!, 0)
  for (const stream of open) {
    left -= weights[stream]!
    if (left < 0) return stream
  }
  return open[open.length - 1]!
}
