/** What the tests ask of dcml inside a page. Answers are plain data. @module */

import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  type BackendName,
  checkpoint,
  DataParallel,
  Dataset,
  DcmlError,
  datasets,
  type History,
  indexedDb,
  listBackends,
  SingleWorker,
  type Store,
  selectBackend,
  sources,
  Trainer,
} from 'dcml'
import { testStore } from 'dcml/testing'

const checks = {
  listBackends,

  /** The backend that dcml takes when nobody says which. */
  selectBackend: async () => (await selectBackend()).name,

  /** Weights and losses after training; 0 workers: in the page's own thread. */
  async train(backend: BackendName, { workers, epochs }: { workers: number; epochs: number }) {
    await selectBackend({ prefer: [backend] })
    const { model, history } = await trainDigits(workers, epochs)
    return { weights: weightsOf(model), losses: history.epochs.map(({ loss }) => loss), engine: history.engine }
  },

  /** The error of training on worker threads, by code and message. */
  failureOfWorkers: () => failureOf(() => trainDigits(2, 1)),

  /** The error of training with a native library. */
  failureOfAssist: () => failureOf(() => trainDigits(0, 1, { assist: 'blas' })),

  /** Trains for 4 epochs at once, and for 2 and then 2 more from a checkpoint in IndexedDB. */
  async resume() {
    await selectBackend({ prefer: ['wasm'] })
    const straight = await trainDigits(2, 4)
    const store = indexedDb('checkpoints')
    const half = await trainDigits(2, 2, { store })
    const resumed = await trainDigits(2, 4, { store, resumeFrom: store })
    return [straight, half, resumed].map(({ model }) => weightsOf(model))
  },

  /** What the readers make of files that a user chooses or that an address gives. */
  async readFiles(text: string, parquet: number[]) {
    const packing = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))
    const packed = await new Response(packing).blob()
    const numbers = async (table: Dataset) => Array.from((await table.columns()).a!.data as Float32Array)
    return {
      packed: await numbers(sources.csv(new File([packed], 'table.csv'))),
      json: await numbers(sources.jsonl(new Blob(['{"a":1}\n{"a":2}\n']))),
      parquet: await numbers(sources.parquet(new Blob([Uint8Array.from(parquet)]))),
      address: await numbers(sources.csv(URL.createObjectURL(packed))),
      cut: await sources
        .csv(new File([packed.slice(0, packed.size - 9)], 'cut.csv'))
        .columns()
        .then(String, String),
    }
  },

  /** What each case of the conformance suite of stores says of IndexedDB: undefined where it holds. */
  async indexedDbConformance() {
    let count = 0
    const results: Record<string, string | undefined> = {}
    for (const { name, run } of testStore({ create: () => indexedDb(`conformance ${count++}`) }))
      results[name] = await run().then(
        () => undefined,
        (error) => String(error),
      )
    return results
  },
}

/** The checks by name, for `page.evaluate`. */
export type Checks = typeof checks

async function failureOf(run: () => Promise<unknown>) {
  await selectBackend({ prefer: ['wasm'] })
  try {
    await run()
  } catch (error) {
    return { code: (error as DcmlError).code, message: (error as Error).message, isOurs: error instanceof DcmlError }
  }
  return undefined
}

interface DigitsOptions {
  store?: Store
  resumeFrom?: Store
  assist?: 'blas'
}

async function trainDigits(workers: number, epochs: number, { store, resumeFrom, assist }: DigitsOptions = {}) {
  const { x, y } = await datasets.syntheticDigits({ count: 330, seed: 5 }).columns()
  const pixels = Float32Array.from(x!.data as Uint8Array, (pixel) => pixel / 255)
  const dense = (units: number, options: { activation: 'relu' | 'softmax'; inputShape?: number[] }) =>
    tfl.layers.dense({ units, ...options, kernelInitializer: tfl.initializers.glorotUniform({ seed: 11 }) })
  const model = tfl.sequential({
    layers: [
      dense(24, { activation: 'relu', inputShape: [784] }),
      tfl.layers.dropout({ rate: 0.25 }),
      dense(10, { activation: 'softmax' }),
    ],
  })
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 1e-3 }),
    strategy: workers === 0 ? new SingleWorker() : new DataParallel({ workers }),
    callbacks: store ? [checkpoint({ store })] : [],
    ...(assist ? { assist } : {}),
    seed: 3,
  })
  // 33 rows do not split evenly over two workers.
  const history: History = await trainer.fit(Dataset.fromArrays({ x: { data: pixels, shape: [330, 784] }, y: y! }), {
    epochs,
    batchSize: 33,
    ...(resumeFrom ? { resumeFrom } : {}),
  })
  await trainer.close()
  return { model, history }
}

const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()))

Object.assign(globalThis, { checks })
