import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { activeWasmBackend } from '../../../src/backends/wasm/register.js'
import { Random } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'
import { adagrad, adam, adamw, cosine, type Optimizer, rmsprop, sgd } from '../../../src/optimizers/index.js'
import { Trainer } from '../../../src/training/index.js'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

const rows = 50
const width = 300

const data = (() => {
  const random = new Random(1)
  const x = Float32Array.from({ length: rows * width }, () => random.normal())
  const y = Int32Array.from({ length: rows }, (_, row) => (x[row * width]! > 0 ? 1 : 0))
  return Dataset.fromArrays({ x: { data: x, shape: [rows, width] }, y: { data: y, shape: [rows] } })
})()

/** With what a step changes besides weights, and random numbers. */
function network(): tfl.LayersModel {
  const start = (seed: number) => tfl.initializers.glorotUniform({ seed })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 130, inputShape: [width], kernelInitializer: start(1) }),
      tfl.layers.batchNormalization({}),
      tfl.layers.reLU(),
      tfl.layers.dropout({ rate: 0.3 }),
      tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: start(2) }),
    ],
  })
}

/** A norm that no gradient reaches: it changes nothing, but such steps are taken one by one. */
const oneByOne = { clipNorm: 1e30 }

async function train(optimizer: Optimizer, options: { clipNorm?: number }) {
  const model = network()
  const backend = activeWasmBackend()!
  const { kernels } = backend
  let series = 0
  backend.kernels = {
    ...kernels,
    runLoop(...values) {
      series++
      return kernels.runLoop(...values)
    },
  }
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
    optimizer,
    seed: 5,
    ...options,
  })
  try {
    const history = await trainer.fit(data, { epochs: 4, batchSize: 8 })
    expect(history.engine).toBe('captured')
    const weights = model.getWeights().map((weight) => [...weight.dataSync()])
    return { series, weights, epochs: history.epochs.map(({ loss, accuracy }) => [loss, accuracy]) }
  } finally {
    backend.kernels = kernels
    await trainer.close()
  }
}

describe('several steps in one call', () => {
  it.each<[string, () => Optimizer]>([
    ['sgd with momentum', () => sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true })],
    ['adam', () => adam({ learningRate: cosine(1e-2, { steps: 20 }) })],
    ['adamw', () => adamw({ weightDecay: 0.1 })],
    ['adagrad', () => adagrad({ learningRate: 0.05 })],
    ['rmsprop', () => rmsprop({ centered: true, momentum: 0.5 })],
  ])('give the bits of steps one by one with %s', async (_, optimizer) => {
    const { series, ...actual } = await train(optimizer(), {})
    const { series: none, ...expected } = await train(optimizer(), oneByOne)
    expect(actual).toEqual(expected)
    expect(series).toBeGreaterThan(3)
    expect(none).toBe(0)
  })

  it('stop at the step whose loss is no number', async () => {
    const failure = (options: { clipNorm?: number }) =>
      train(sgd({ learningRate: 1e30 }), options).then(
        () => undefined,
        (error: Error) => error.message,
      )
    const message = await failure(oneByOne)
    expect(message).toMatch(/loss of step \d+ is not a finite number/)
    expect(await failure({})).toBe(message)
  })

  it('give their memory back', async () => {
    const { heap } = activeWasmBackend()!
    const model = network()
    const run = async () => {
      const trainer = new Trainer({ model, loss: 'sparseCategoricalCrossentropy' })
      await trainer.fit(data, { epochs: 2, batchSize: 8, validation: data })
      await trainer.close()
    }
    await run()
    const before = heap.bytesInUse
    await run()
    expect(heap.bytesInUse).toBe(before)
  })
})

it.each(['eager', 'captured'] as const)('streams may use their arrays again: %s steps', async (engine) => {
  const { x, y } = await data.columns()
  const streamed = (makesArrays: boolean) =>
    Dataset.fromBatches(async function* () {
      let arrays = [new Float32Array(8 * width), new Int32Array(8)] as const
      for (let from = 0; from + 8 <= rows; from += 8) {
        if (makesArrays) arrays = [new Float32Array(8 * width), new Int32Array(8)]
        arrays[0].set((x!.data as Float32Array).subarray(from * width, (from + 8) * width))
        arrays[1].set((y!.data as Int32Array).subarray(from, from + 8))
        yield { x: { data: arrays[0], shape: [8, width] }, y: { data: arrays[1], shape: [8] } }
      }
    })
  const run = async (dataset: Dataset) => {
    const model = network()
    const trainer = new Trainer({ model, loss: 'sparseCategoricalCrossentropy', optimizer: adam(), seed: 5, engine })
    const history = await trainer.fit(dataset, { epochs: 3, batchSize: 8 })
    await trainer.close()
    return { engine: history.engine, losses: history.epochs.map(({ loss }) => loss) }
  }
  expect(await run(streamed(false))).toEqual({ ...(await run(streamed(true))), engine })
})
