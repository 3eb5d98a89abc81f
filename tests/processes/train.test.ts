import * as tfl from '@tensorflow/tfjs-layers'
import {
  DataParallel,
  Dataset,
  datasets,
  gain,
  Preprocessor,
  SingleWorker,
  selectBackend,
  sgd,
  Trainer,
  type TrainerOptions,
  timeShift,
} from 'dcml'
import { beforeAll, describe, expect, it } from 'vitest'
import { runGroup, weightsOf } from '../fixtures/run-group.js'

beforeAll(async () => {
  await selectBackend()
})

/** The last batch of an epoch is shorter. */
const ROWS = 325

/** The training of train-rank.mjs in this process: 100 steps. */
async function trainHere(workers: number, options: Partial<TrainerOptions> = {}): Promise<Float32Array[]> {
  const { x, y } = await datasets.syntheticDigits({ count: ROWS, seed: 5 }).columns()
  const pixels = Float32Array.from(x!.data as Uint8Array, (pixel) => pixel / 255)
  const initializer = (seed: number) => tfl.initializers.glorotUniform({ seed })
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 24, activation: 'relu', inputShape: [784], kernelInitializer: initializer(11) }),
      tfl.layers.dropout({ rate: 0.25 }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer(12) }),
    ],
  })
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: sgd({ learningRate: 0.1 }),
    strategy: workers === 1 ? new SingleWorker() : new DataParallel({ workers }),
    seed: 3,
    ...options,
  } as TrainerOptions)
  const data = Dataset.fromArrays({ x: { data: pixels, shape: [ROWS, 784] }, y: y! })
  await trainer.fit(data, { epochs: 10, batchSize: 33 })
  await trainer.close()
  return model.getWeights().map((weight) => Float32Array.from(weight.dataSync()))
}

/** Norm of the difference over the norm, the largest over all tensors. */
function difference(flat: Float32Array, tensors: Float32Array[]): number {
  let at = 0
  return Math.max(
    ...tensors.map((tensor) => {
      const own = flat.subarray(at, at + tensor.length)
      at += tensor.length
      return Math.hypot(...tensor.map((value, i) => value - own[i]!)) / (Math.hypot(...tensor) || 1)
    }),
  )
}

const joined = (tensors: Float32Array[]) => Float32Array.from(tensors.flatMap((tensor) => Array.from(tensor)))

describe('processes over TCP', () => {
  it('end in the weights of one worker, 1 to 4 of them, captured, with rows that do not divide', async () => {
    const alone = await trainHere(1)
    for (const worldSize of [1, 2, 3, 4]) {
      const ranks = await runGroup(worldSize, { rows: ROWS })
      for (const rank of ranks) {
        expect(difference(weightsOf(rank), alone)).toBeLessThan(1e-5)
        expect(weightsOf(rank)).toEqual(weightsOf(ranks[0]!))
        expect(rank.history).toEqual(ranks[0]!.history)
        expect(rank.history!.engine).toBe('captured')
      }
    }
  })

  it('give the bits of 1, 2, 4 and 8 threads when deterministic', async () => {
    const deterministic = { logicalShards: 8 }
    const alone = joined(await trainHere(1, { deterministic }))
    for (const workers of [2, 4, 8]) expect(joined(await trainHere(workers, { deterministic }))).toEqual(alone)
    for (const worldSize of [2, 4, 8])
      for (const rank of await runGroup(worldSize, { rows: ROWS, deterministic }))
        expect(weightsOf(rank)).toEqual(alone)
  })

  it('give the bits of one worker when rows are changed at random', async () => {
    const deterministic = { logicalShards: 4 }
    const preprocessor = new Preprocessor([gain('x'), timeShift('x', { most: 50 })])
    const alone = joined(await trainHere(1, { deterministic, preprocessor }))
    for (const rank of await runGroup(2, { rows: ROWS, deterministic, augments: true }))
      expect(weightsOf(rank)).toEqual(alone)
  })
})
