import * as tfl from '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { selectBackend } from '../../src/backends/index.js'
import { Random } from '../../src/core/index.js'
import { Dataset } from '../../src/data/index.js'
import { MultiHeadAttention } from '../../src/models/index.js'
import { adam, cosine } from '../../src/optimizers/index.js'
import { Trainer } from '../../src/training/index.js'
import { type DriverCounts, driverCounts, driverMeter } from './driver-meter.js'
import { needStandIn } from './stand-in.js'

const networks = {
  mlp: {
    shape: [12],
    build: () =>
      tfl.sequential({
        layers: [
          tfl.layers.dense({ units: 8, activation: 'relu', inputShape: [12] }),
          tfl.layers.dense({ units: 8, activation: 'relu' }),
          tfl.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
  },
  cnn: {
    shape: [8, 8, 1],
    build: () =>
      tfl.sequential({
        layers: [
          tfl.layers.conv2d({ filters: 3, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 1] }),
          tfl.layers.batchNormalization({}),
          tfl.layers.maxPooling2d({ poolSize: 2 }),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
  },
  transformer: {
    shape: [4, 8],
    build: () => {
      const input = tfl.input({ shape: [4, 8] })
      const mixed = new MultiHeadAttention({ numHeads: 2, keyDim: 4 }).apply(input) as tfl.SymbolicTensor
      const dropped = tfl.layers.dropout({ rate: 0.2 }).apply(mixed) as tfl.SymbolicTensor
      const sum = tfl.layers.add().apply([input, dropped])
      const normal = tfl.layers.layerNormalization({}).apply(sum)
      const hidden = tfl.layers.dense({ units: 8, activation: 'relu' }).apply(normal)
      const again = tfl.layers.dropout({ rate: 0.2 }).apply(hidden)
      const pooled = tfl.layers.globalAveragePooling1d({}).apply(again)
      const output = tfl.layers.dense({ units: 3, activation: 'softmax' }).apply(pooled) as tfl.SymbolicTensor
      return tfl.model({ inputs: input, outputs: output })
    },
  },
} as const

const rows = 512
const batchSize = 8
const steps = rows / batchSize

function dataFor(shape: readonly number[]): Dataset {
  const random = new Random(1)
  const width = shape.reduce((product, size) => product * size, 1)
  const y = Int32Array.from({ length: rows }, () => random.integer(3))
  const x = Float32Array.from({ length: rows * width }, () => random.normal())
  return Dataset.fromArrays({ x: { data: x, shape: [rows, ...shape] }, y: { data: y, shape: [rows] } })
}

/** Trains, and counts what the last of three epochs asks of the driver: by then all is compiled and captured. */
async function lastEpoch(
  name: keyof typeof networks,
  options: Partial<ConstructorParameters<typeof Trainer>[0]> = {},
  data = dataFor(networks[name].shape),
): Promise<DriverCounts> {
  const model: tfl.LayersModel = networks[name].build()
  const meter = await driverMeter()
  const counts: DriverCounts[] = []
  const note = () => {
    counts.push(meter.counts())
  }
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
    optimizer: adam({ learningRate: cosine(1e-3, { steps: 1000 }) }),
    engine: 'captured',
    callbacks: [{ onEpochStart: note, onEpochEnd: note }],
    ...options,
  } as ConstructorParameters<typeof Trainer>[0])
  const history = await trainer.fit(data, { epochs: 3, batchSize })
  expect(history.engine).toBe('captured')
  await trainer.close()
  model.dispose()
  const [start, end] = counts.slice(-2) as [DriverCounts, DriverCounts]
  return Object.fromEntries(driverCounts.map((count) => [count, end[count] - start[count]])) as DriverCounts
}

describe.runIf(needStandIn('the structure of a step'))('a step of training on cuda', () => {
  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
    // How many steps the trainer asks for at a time depends on how long one takes: here, on nothing.
    vi.useFakeTimers({ toFake: ['performance'] })
  })
  afterAll(() => void vi.useRealTimers())

  it.each(Object.keys(networks) as (keyof typeof networks)[])('is one launch of a graph: %s', async (name) => {
    const counts = await lastEpoch(name)
    // Means and variances of a batch normalization are read, and written back, at the end of an epoch.
    const kept = name === 'cnn' ? 2 : 0
    expect(counts).toMatchObject({
      'graph launches': steps,
      // The number of rows, once for all steps; and the means where they stay.
      launches: 1 + kept,
      // The order of the rows, and what changes from step to step, for 32 at a time.
      uploads: 1 + steps / 32 + kept,
      // What all steps report, and the weights, which the trainer looks at after each epoch.
      downloads: 2 + kept,
      // Nor is a page of memory that both see touched by the host, before which it would wait.
      waits: 0,
      allocations: 0,
    })
  })
})
