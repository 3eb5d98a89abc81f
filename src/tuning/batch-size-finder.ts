/** How many rows per step are fast. @module */

import { ConfigError, checkWhole, withDefaults } from '../core/index.js'
import type { Dataset } from '../data/index.js'
import type { Callback, Trainer } from '../training/index.js'
import { type KeptWeights, keepWeights } from './keep-weights.js'

/** How to look for a batch size. */
export interface BatchSizeOptions {
  /** First size; each next is twice as large. @default 8 */
  from?: number
  /** Largest size. @default 4096, and never more than there are rows */
  to?: number
  /** Steps that are timed per size, after as many that warm up. @default 10 */
  steps?: number
}

/** Share of the highest throughput that a size must reach to be suggested. */
const ENOUGH = 0.9
/** Growth of throughput, twice in a row less than which the search ends. */
const GROWTH = 1.05

/** Throughput by batch size. */
export interface BatchSizes {
  /** By size, the least first. */
  readonly sizes: readonly { readonly batchSize: number; readonly samplesPerSecond: number }[]
  /** The smallest size with at least 90 % of the highest throughput: larger ones only make fewer updates. */
  readonly suggestion: number
  /** Why a size could not be run, which ended the search. */
  readonly failure: Error | undefined
  /** For a terminal: a bar per size. */
  toText(): string
}

/**
 * Times steps of growing size, until throughput no longer grows or a step fails, as for want of memory. The model is
 * left as it was.
 *
 * @throws what the first size throws.
 * @example
 * const { suggestion } = await findBatchSize(trainer, train)
 */
export async function findBatchSize(
  trainer: Trainer,
  train: Dataset,
  options: BatchSizeOptions = {},
): Promise<BatchSizes> {
  const { from, to, steps } = withDefaults('findBatchSize', options, { from: 8, to: 4096, steps: 10 })
  for (const [name, value] of Object.entries({ from, to, steps })) checkWhole(name, value)
  const data = await train.collect()
  const largest = Math.min(to, data.size!)
  if (from > largest)
    throw new ConfigError('There is no batch size to try.', {
      expected: `from of at most ${largest}, which is 'to' or the number of rows`,
      received: from,
    })
  const kept = keepWeights()
  const sizes: { batchSize: number; samplesPerSecond: number }[] = []
  let failure: Error | undefined
  try {
    for (let batchSize = from, tired = 0; batchSize <= largest && tired < 2; batchSize *= 2) {
      const before = sizes.at(-1)?.samplesPerSecond ?? 0
      const samplesPerSecond = await throughput(trainer, data, batchSize, steps, kept)
      sizes.push({ batchSize, samplesPerSecond })
      tired = samplesPerSecond < before * GROWTH ? tired + 1 : 0
    }
  } catch (error) {
    if (sizes.length === 0) throw error
    failure = error as Error
  } finally {
    kept.restore()
  }
  const most = Math.max(...sizes.map(({ samplesPerSecond }) => samplesPerSecond))
  const suggestion = sizes.find(({ samplesPerSecond }) => samplesPerSecond >= ENOUGH * most)!.batchSize
  return {
    sizes,
    suggestion,
    failure,
    toText: () =>
      sizes
        .map(({ batchSize, samplesPerSecond }) => {
          const bar = '█'.repeat(Math.max(1, Math.round((40 * samplesPerSecond) / most)))
          const note = batchSize === suggestion ? '  suggested' : ''
          return `${String(batchSize).padStart(6)}  ${bar} ${Math.round(samplesPerSecond)} samples/s${note}`
        })
        .join('\n'),
  }
}

/** Rows per second: of the median step, after those in which an engine settles. */
async function throughput(
  trainer: Trainer,
  data: Dataset,
  batchSize: number,
  steps: number,
  kept: KeptWeights,
): Promise<number> {
  const endedMs: number[] = []
  const watch: Callback = {
    onStepEnd({ stop }) {
      endedMs.push(performance.now())
      if (endedMs.length > 2 * steps) stop('enough steps were timed')
    },
  }
  // Whole batches only.
  const rows = Math.floor(Math.min(data.size!, batchSize * steps) / batchSize) * batchSize
  const probe = trainer.with(({ model }) => ({ callbacks: [kept.callback(model), watch] }))
  await probe.fit(data.take(rows), { batchSize, epochs: 2 * steps + 1 })
  const times = endedMs.slice(steps + 1).map((ms, i) => ms - endedMs[steps + i]!)
  return (batchSize * 1000) / times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!
}
