/** Training on rows that are changed at random in each epoch. */
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { Dataset, datasets } from '../../../src/data/index.js'
import { sgd } from '../../../src/optimizers/index.js'
import { Preprocessor, scale, specAugment } from '../../../src/preprocess/index.js'
import { memory } from '../../../src/storage/index.js'
import { checkpoint, type FitOptions, Trainer, type TrainerOptions } from '../../../src/training/index.js'

beforeAll(async () => {
  await selectBackend()
})

const digits = datasets.syntheticDigits({ count: 200, seed: 3 })
const preprocessor = () => new Preprocessor([scale('x', 1 / 255), specAugment('x'), scale('x', 2)])

function model(): tfl.LayersModel {
  const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: 1 })
  return tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [28, 28, 1] }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: kernelInitializer() }),
    ],
  })
}

async function trained(train: Dataset, options: Partial<TrainerOptions>, fit: FitOptions) {
  const trainer = new Trainer({ model: model(), loss: 'sparseCategoricalCrossentropy', seed: 4, ...options })
  const history = await trainer.fit(train, { batchSize: 32, ...fit })
  return { trainer, history, weights: trainer.model.getWeights().map((weight) => Array.from(weight.dataSync())) }
}

it('trains on what transform shows for the same seed and epoch, in the same order', async () => {
  const shown = preprocessor().transform(digits, { augment: { seed: 4, epoch: 0 } })
  const given = await trained(Dataset.fromArrays(await shown.columns()), {}, {})
  const asked = await trained(digits, { preprocessor: preprocessor() }, {})
  expect(asked.weights).toEqual(given.weights)
  expect(asked.history.engine).toBe('captured')
})

it('takes new changes in each epoch, and none to evaluate', async () => {
  const plain = new Preprocessor([scale('x', 1 / 255), scale('x', 2)])
  const { trainer, history } = await trained(
    digits,
    { preprocessor: preprocessor() },
    { epochs: 3, validation: digits },
  )
  const unchanged = new Trainer({ model: trainer.model, loss: 'sparseCategoricalCrossentropy', preprocessor: plain })
  const { loss } = await unchanged.evaluate(digits)
  expect((await trainer.evaluate(digits)).loss).toBe(loss)
  expect(history.epochs[2]!.val_loss).toBe(loss)
  // Where the weights hardly move, only the changes can make the losses of two epochs differ.
  const still = { preprocessor: preprocessor(), optimizer: sgd({ learningRate: 1e-20 }) }
  const [first, second] = (await trained(digits, still, { epochs: 2 })).history.epochs
  expect(Math.abs(first!.loss - second!.loss)).toBeGreaterThan(1e-4)
})

it('trains as many steps at a time as it likes, to the same bits', async () => {
  const options = { epochs: 4, batchSize: 8 }
  const together = await trained(digits, { preprocessor: preprocessor() }, options)
  let steps = 0
  const callbacks = [{ onStepEnd: () => void steps++ }]
  const apart = await trained(digits, { preprocessor: preprocessor(), callbacks }, options)
  expect(apart.weights).toEqual(together.weights)
  expect(apart.history.epochs.map(({ loss }) => loss)).toEqual(together.history.epochs.map(({ loss }) => loss))
  expect(steps).toBe(100)
})

it('gives a stream the changes of the same rows in memory', async () => {
  const options = { shuffle: false, epochs: 2 }
  const stream = Dataset.fromBatches(() => digits.batches(50))
  const streamed = await trained(stream, { preprocessor: preprocessor() }, options)
  expect(streamed.weights).toEqual((await trained(digits, { preprocessor: preprocessor() }, options)).weights)
})

it('resumes in the middle of an epoch to the same bits', async () => {
  const saving = () => checkpoint({ store: memory(), everySteps: 3 })
  const whole = await trained(digits, { preprocessor: preprocessor(), callbacks: [saving()] }, { epochs: 3 })
  const store = memory()
  const controller = new AbortController()
  const callbacks = [
    checkpoint({ store, everySteps: 3 }),
    { onStepEnd: ({ step }: { step: number }) => void (step === 9 && controller.abort()) },
  ]
  await trained(digits, { preprocessor: preprocessor(), callbacks }, { epochs: 3, signal: controller.signal })
  const resumed = await trained(digits, { preprocessor: preprocessor() }, { epochs: 3, resumeFrom: store })
  expect(resumed.weights).toEqual(whole.weights)
  expect(resumed.history.epochs).toHaveLength(3)
})
