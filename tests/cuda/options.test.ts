import * as tfl from '@tensorflow/tfjs-layers'
import { describe, expect, it } from 'vitest'
import { selectBackend } from '../../src/backends/index.js'
import { Random } from '../../src/core/index.js'
import { Dataset } from '../../src/data/index.js'
import { adam } from '../../src/optimizers/index.js'
import { memory } from '../../src/storage/index.js'
import { type Callback, checkpoint, type FitOptions, Trainer, type TrainerOptions } from '../../src/training/index.js'
import { useStandIn } from './stand-in.js'

const rows = 36
const width = 10

const data = (() => {
  const random = new Random(2)
  const x = Float32Array.from({ length: rows * width }, () => random.normal())
  return Dataset.fromArrays({
    x: { data: x, shape: [rows, width] },
    y: { data: Int32Array.from({ length: rows }, (_, row) => (x[row * width]! > 0 ? 1 : 0)), shape: [rows] },
    // Some count twice, some not at all.
    importance: { data: Float32Array.from({ length: rows }, (_, row) => row % 3), shape: [rows] },
  })
})()

function network(): tfl.LayersModel {
  const start = (seed: number) => tfl.initializers.glorotUniform({ seed })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 7, activation: 'tanh', inputShape: [width], kernelInitializer: start(1) }),
      tfl.layers.batchNormalization({}),
      tfl.layers.dropout({ rate: 0.2 }),
      tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: start(2) }),
    ],
  })
}

/** What a training leaves: weights, means of the epochs, an evaluation. Steps of 8 rows, the last of 4. */
async function train(
  backend: 'cuda' | 'wasm',
  engine: 'captured' | 'eager',
  options: Partial<TrainerOptions>,
  fit: FitOptions = {},
): Promise<number[]> {
  await selectBackend({ prefer: [backend] })
  const model = network()
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
    optimizer: adam({ learningRate: 1e-2 }),
    seed: 4,
    engine,
    ...options,
  } as TrainerOptions)
  const history = await trainer.fit(data, { epochs: 4, batchSize: 8, validation: data, ...fit })
  expect(history.engine).toBe(engine)
  await trainer.close()
  const weights = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]))
  model.dispose()
  const epochs = history.epochs.map((epoch) => [epoch.loss, epoch.accuracy!, epoch.val_loss!, epoch.val_accuracy!])
  return [...weights.flat(), ...epochs.flat()]
}

const worst = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))

const cases: [string, Partial<TrainerOptions>, FitOptions][] = [
  ['chunks of steps', {}, {}],
  ['a callback after each step', { callbacks: [{ onStepEnd: () => {} }] }, {}],
  ['clipNorm', { clipNorm: 0.05 }, {}],
  ['accumulateSteps', { accumulateSteps: 2 }, {}],
  ['logicalShards', { deterministic: { logicalShards: 2 } }, {}],
  ['weights of rows', {}, { sampleWeight: 'importance' }],
]

describe.runIf(useStandIn('options of training'))('training on cuda', () => {
  it.each(cases)('gives what wasm and eager steps give with %s', async (_, options, fit) => {
    const captured = await train('cuda', 'captured', options, fit)
    expect(worst(captured, await train('cuda', 'eager', options, fit))).toBeLessThan(1e-3)
    expect(worst(captured, await train('wasm', 'captured', options, fit))).toBeLessThan(1e-3)
  })

  it('goes on from a checkpoint to the same bits', async () => {
    const store = memory()
    const callbacks = [checkpoint({ store })]
    const straight = await train('cuda', 'captured', {}, { epochs: 4 })
    await train('cuda', 'captured', { callbacks }, { epochs: 2 })
    expect(await train('cuda', 'captured', {}, { epochs: 4, resumeFrom: store })).toEqual(straight)
  })

  it.each([2, 8, 13])('goes on to the same bits from where it was stopped, at step %i or soon after', async (last) => {
    const store = memory()
    const controller = new AbortController()
    const abort: Callback = { relaxed: true, onStepEnd: ({ step }) => void (step === last && controller.abort()) }
    const callbacks = [abort, checkpoint({ store })]
    const straight = await train('cuda', 'captured', {}, { epochs: 4 })
    await train('cuda', 'captured', { callbacks }, { epochs: 4, signal: controller.signal })
    expect(await train('cuda', 'captured', {}, { epochs: 4, resumeFrom: store })).toEqual(straight)
  })
})
