/** Training over a stream that is interrupted in the middle of an epoch goes on with the very next batch. */
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { DataError, Random } from '../../../src/core/index.js'
import { type Columns, Dataset, interleave } from '../../../src/data/index.js'
import { DataParallel } from '../../../src/distributed/index.js'
import { adam } from '../../../src/optimizers/index.js'
import {
  dropDuplicates,
  impute,
  Preprocessor,
  robust,
  specAugment,
  standardize,
} from '../../../src/preprocess/index.js'
import { memory, type Store } from '../../../src/storage/index.js'
import { type Callback, checkpoint, Trainer, type TrainerOptions } from '../../../src/training/index.js'
import { memoryTransports } from '../../../src/transport/index.js'

beforeAll(async () => {
  await selectBackend()
})

const ROWS = 230
const random = new Random(9)
const table: Columns = {
  // [time, bands]: what specAugment takes.
  x: { data: Float32Array.from({ length: ROWS * 12 }, () => random.normal()), shape: [ROWS, 4, 3] },
  y: { data: Float32Array.from({ length: ROWS }, () => random.normal()), shape: [ROWS, 1] },
}
const inMemory = Dataset.fromArrays(table)

/** Chunks of 17 rows, from the first on. */
const stream = () => Dataset.fromBatches(() => inMemory.batches(17))

const datasets: Record<string, () => Dataset> = {
  'a stream': stream,
  'one that begins anywhere': () =>
    Dataset.fromBatches((pass) => inMemory.batches(17, pass), { seeks: true }).map((row) => row),
  'one that is shuffled': () => stream().shuffle({ seed: 5, bufferSize: 40 }),
  'one that is shuffled anew in each epoch, kept and read ahead': () =>
    stream().cache().shuffle({ seed: 5, bufferSize: 40, reshuffle: true }).prefetch(2),
  'one that is kept in a store': () =>
    stream()
      .filter(({ y }) => (y as Float32Array)[0]! < 1)
      .cache({ store: memory() }),
  'one of several': () => interleave([stream(), stream().skip(170)], { weights: [2, 1], seed: 3 }).prefetch(1),
}

const preprocessors: Record<string, () => Preprocessor | undefined> = {
  'as it is': () => undefined,
  prepared: () => new Preprocessor([impute('x', { with: 'median' }), standardize('x')]),
  'without duplicates': () => new Preprocessor([dropDuplicates('x'), robust('x')]),
  'changed at random': () => new Preprocessor([standardize('x'), specAugment('x')]),
}

function model(seed: number): tfl.LayersModel {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed })
  return tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [4, 3], name: 'flat' }),
      tfl.layers.dense({ units: 5, activation: 'relu', kernelInitializer, name: 'hidden' }),
      tfl.layers.dropout({ rate: 0.2, name: 'dropout' }),
      tfl.layers.dense({ units: 1, kernelInitializer, name: 'output' }),
    ],
    name: 'regression',
  })
}

interface Run {
  dataset: Dataset
  preprocessor?: Preprocessor | undefined
  store?: Store
  /** Aborts after this step. */
  until?: number
  /** Of the weights before training: those of a checkpoint take their place. */
  seed?: number
  resumeFrom?: Store
  batchSize?: number
  options?: Partial<TrainerOptions>
}

async function train({ dataset, preprocessor, store, until, seed = 1, resumeFrom, batchSize = 16, options }: Run) {
  const controller = new AbortController()
  const losses: number[] = []
  const watch: Callback = {
    onStepEnd({ step, loss }) {
      losses.push(loss)
      if (step === until) controller.abort()
    },
  }
  const trainer = new Trainer({
    model: model(seed),
    loss: 'meanSquaredError',
    optimizer: adam({ learningRate: 0.01 }),
    seed: 4,
    callbacks: [...(store ? [checkpoint({ store, everySteps: 5 })] : []), watch],
    ...(preprocessor ? { preprocessor } : {}),
    ...options,
  } as TrainerOptions)
  const { signal } = controller
  const history = await trainer.fit(dataset, { epochs: 3, batchSize, signal, ...(resumeFrom ? { resumeFrom } : {}) })
  return {
    losses,
    weights: trainer.model.getWeights().map((weight) => Array.from(weight.dataSync())),
    epochs: history.epochs.map(({ epoch, loss }) => ({ epoch, loss })),
  }
}

describe.each(Object.entries(datasets))('%s', (_, dataset) => {
  it.each(Object.entries(preprocessors))('%s', async (_, preprocessor) => {
    const whole = await train({ dataset: dataset(), preprocessor: preprocessor() })
    const store = memory()
    // In the middle of the second epoch.
    const interrupted = await train({ dataset: dataset(), preprocessor: preprocessor(), store, until: 22 })
    expect(interrupted.losses).toEqual(whole.losses.slice(0, 22))
    expect(interrupted.epochs).toHaveLength(1)
    const resumed = await train({ dataset: dataset(), preprocessor: preprocessor(), seed: 2, resumeFrom: store })
    expect(resumed.losses).toEqual(whole.losses.slice(22))
    expect(resumed.weights).toEqual(whole.weights)
    expect(resumed.epochs).toEqual(whole.epochs)
  })
})

it('has another order in each epoch where that is asked for', async () => {
  const seen: number[][] = []
  const dataset = stream().shuffle({ seed: 5, bufferSize: 40, reshuffle: true })
  const recorded = Dataset.fromBatches(async function* ({ epoch }) {
    seen[epoch] = []
    for await (const batch of dataset.batches(16, { epoch })) {
      seen[epoch]!.push(...(batch.y!.data as Float32Array))
      yield batch
    }
  })
  await train({ dataset: recorded })
  expect(seen).toHaveLength(3)
  expect(new Set(seen.map((values) => values.join())).size).toBe(3)
  for (const values of seen) expect([...values].sort()).toEqual([...(table.y!.data as Float32Array)].sort())
})

it('goes on so on two workers too', async () => {
  const onTwo = async (run: Omit<Run, 'dataset'>) => {
    const both = await Promise.all(
      memoryTransports(2).map((transport) =>
        train({
          ...run,
          dataset: datasets['one that is shuffled anew in each epoch, kept and read ahead']!(),
          options: {
            strategy: new DataParallel({
              transport: { name: 'memory', kind: 'processes', join: async () => transport },
            }),
          },
        }),
      ),
    )
    return both[0]!
  }
  const whole = await onTwo({})
  const store = memory()
  await onTwo({ store, until: 22 })
  const resumed = await onTwo({ seed: 2, resumeFrom: store })
  expect(resumed.losses).toEqual(whole.losses.slice(22))
  expect(resumed.weights).toEqual(whole.weights)
})

it('refuses steps of another size in the middle of an epoch, not at its end', async () => {
  const store = memory()
  await train({ dataset: stream(), store, until: 22 })
  await expect(train({ dataset: stream(), resumeFrom: store, batchSize: 32 })).rejects.toThrow(
    /middle of an epoch.*16; received 32.*same batchSize/,
  )
  const atEnd = memory()
  await train({ dataset: stream(), store: atEnd, until: 15 })
  const { epochs } = await train({ dataset: stream(), resumeFrom: atEnd, batchSize: 32 })
  expect(epochs).toHaveLength(3)
})

it('reports every step before the batch that fails', async () => {
  const broken = Dataset.fromBatches(async function* () {
    yield* inMemory.take(48).batches(16)
    throw new DataError('row 48 is broken')
  })
  for (const dataset of [broken, broken.prefetch(4)]) {
    let steps = 0
    const counting: Callback = {
      onStepEnd({ step }) {
        steps = step
      },
    }
    await expect(train({ dataset, options: { callbacks: [counting] } })).rejects.toThrow('row 48 is broken')
    expect(steps).toBe(3)
  }
})
