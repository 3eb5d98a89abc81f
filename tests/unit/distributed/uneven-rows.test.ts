/**
 * Each row counts once, in training and in evaluation, however unevenly rows fall on workers.
 *
 * Row i has a loss of 4^i, so that the sum of losses tells which rows were counted, and how often.
 */
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { Dataset } from '../../../src/data/index.js'
import { DataParallel } from '../../../src/distributed/index.js'
import { sgd } from '../../../src/optimizers/index.js'
import { Trainer } from '../../../src/training/index.js'
import { memoryTransports } from '../../../src/transport/index.js'

beforeAll(async () => {
  await selectBackend()
})

/** 12 rows at most: the sum of their losses has 24 bits, as many as a float32 holds. */
const powers = (rows: number) =>
  Dataset.fromArrays({
    x: { data: Float32Array.from({ length: rows }, (_, i) => 2 ** i), shape: [rows, 1] },
    y: { data: new Float32Array(rows), shape: [rows, 1] },
  })

const eachOnce = (rows: number) => (4 ** rows - 1) / 3

/** What each of some ranks makes of a task, all at once. */
function onRanks<T>(ranks: number, task: (trainer: Trainer) => Promise<T>): Promise<T[]> {
  return Promise.all(
    memoryTransports(ranks).map(async (transport) => {
      const kernelInitializer = tfl.initializers.ones()
      const layer = tfl.layers.dense({ units: 1, inputShape: [1], useBias: false, kernelInitializer, name: 'same' })
      const trainer = new Trainer({
        model: tfl.sequential({ layers: [layer], name: 'identity' }),
        loss: 'meanSquaredError',
        // Too little to change a weight of 1.
        optimizer: sgd({ learningRate: 1e-30 }),
        strategy: new DataParallel({ transport: { name: 'memory', kind: 'processes', join: async () => transport } }),
      })
      return task(trainer)
    }),
  )
}

it.each([2, 3, 4])('on %i workers', async (ranks) => {
  for (const rows of [5, 7, 11, 12]) {
    const evaluated = await onRanks(ranks, (trainer) => trainer.evaluate(powers(rows), { batchSize: 6 }))
    for (const { loss } of evaluated) expect(Math.round(loss! * rows)).toBe(eachOnce(rows))
    // 5 rows a step: 3 or fewer for a worker, and 1 or 2 rows in the last step, which leave workers without any.
    const fitted = await onRanks(ranks, (trainer) =>
      trainer.fit(powers(rows), { batchSize: 5, validation: powers(rows) }),
    )
    for (const { epochs } of fitted) {
      expect(Math.round(epochs[0]!.loss * rows)).toBe(eachOnce(rows))
      expect(Math.round((epochs[0]!.val_loss as number) * rows)).toBe(eachOnce(rows))
    }
    const stream = Dataset.fromBatches(() => powers(rows).batches(3))
    const streamed = await onRanks(ranks, (trainer) => trainer.fit(stream, { batchSize: 5 }))
    for (const { epochs } of streamed) expect(Math.round(epochs[0]!.loss * rows)).toBe(eachOnce(rows))
  }
})
