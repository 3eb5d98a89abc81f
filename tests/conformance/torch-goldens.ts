import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { type AssistName, type BackendName, selectBackend } from '../../src/backends/index.js'
import { Dataset } from '../../src/data/index.js'
import { MultiHeadAttention } from '../../src/models/index.js'
import { adam, adamw, rmsprop, sgd } from '../../src/optimizers/index.js'
import { Trainer } from '../../src/training/index.js'

interface Encoded {
  dtype: 'float32' | 'int32'
  shape: number[]
  base64: string
}

interface Golden {
  batchSize: number
  x: Encoded
  y: Encoded
  weights: Encoded[]
  runs: Record<string, { losses: number[]; weights: Encoded[] }>
}

/** Relative: of a loss, and per tensor the norm of the difference over the norm. */
const TOLERANCE = 1e-4

/** As in tests/golden/torch/make.py; what is left out there is left out here, so that the defaults agree too. */
const optimizers = {
  sgd: () => sgd({ learningRate: 0.1 }),
  momentum: () => sgd({ learningRate: 0.05, momentum: 0.9 }),
  adam: () => adam(),
  adamw: () => adamw(),
  rmsprop: () => rmsprop(),
}

const { dense } = tfl.layers

/** The models of tests/golden/torch/make.py. */
const models = {
  mlp: {
    loss: 'sparseCategoricalCrossentropy',
    layers: () => [
      dense({ units: 47, activation: 'relu', inputShape: [33] }),
      dense({ units: 18, activation: 'relu' }),
      dense({ units: 5, activation: 'softmax' }),
    ],
  },
  cnn: {
    loss: 'categoricalCrossentropy',
    layers: () => [
      tfl.layers.conv2d({ filters: 6, kernelSize: 3, activation: 'relu', inputShape: [9, 8, 2] }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.conv2d({ filters: 7, kernelSize: 3, padding: 'same', activation: 'relu' }),
      tfl.layers.flatten(),
      dense({ units: 4, activation: 'softmax' }),
    ],
  },
  embedding: {
    loss: 'binaryCrossentropy',
    layers: () => [
      tfl.layers.embedding({ inputDim: 50, outputDim: 11, inputLength: 9 }),
      tfl.layers.globalAveragePooling1d({}),
      dense({ units: 6, activation: 'tanh' }),
      dense({ units: 1, activation: 'sigmoid' }),
    ],
  },
  lstm: {
    loss: 'meanSquaredError',
    layers: () => [
      tfl.layers.lstm({ units: 10, recurrentActivation: 'sigmoid', inputShape: [7, 5] }),
      dense({ units: 2 }),
    ],
  },
  attention: {
    loss: 'meanSquaredError',
    layers: () => [
      new MultiHeadAttention({ numHeads: 2, keyDim: 5, useBias: false, useCausalMask: true, inputShape: [7, 10] }),
      tfl.layers.activation({ activation: 'gelu' }),
      tfl.layers.globalAveragePooling1d({}),
      dense({ units: 2 }),
    ],
  },
}

function column({ dtype, shape, base64 }: Encoded) {
  const { buffer } = Uint8Array.from(Buffer.from(base64, 'base64'))
  return { data: dtype === 'int32' ? new Int32Array(buffer) : new Float32Array(buffer), shape }
}

const floats = (encoded: Encoded) => Array.from(column(encoded).data)
const minus = (a: number[], b: number[]) => a.map((value, i) => value - b[i]!)

/** Norm of the difference over the norm of `expected`. */
const difference = (actual: number[], expected: number[]) =>
  Math.hypot(...minus(actual, expected)) / Math.hypot(...expected)

/** How to train: an engine, and what helps it. */
export interface Way {
  engine: 'eager' | 'captured'
  assist?: AssistName
  /** What the history says of the assist. */
  library?: string
}

/** Trains the models of tests/golden/torch on a backend, in each way, and compares with PyTorch. */
export function testGoldens(backend: BackendName, ways: readonly Way[]): void {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  describe.each(ways)('$engine engine, assist $assist', ({ engine, assist, library }) => {
    describe.each(Object.entries(models))('%s', (name, { loss, layers }) => {
      const text = readFileSync(new URL(`../golden/torch/${name}.json`, import.meta.url), 'utf8')
      const golden = JSON.parse(text) as Golden
      const data = Dataset.fromArrays({ x: column(golden.x), y: column(golden.y) })

      it.each(Object.entries(optimizers))('trains as PyTorch does with %s', async (key, optimizer) => {
        const expected = golden.runs[key]!
        const model = tfl.sequential({ layers: layers() })
        tf.tidy(() => model.setWeights(golden.weights.map((weight) => tf.tensor(floats(weight), weight.shape))))
        const losses: number[] = []
        const trainer = new Trainer({
          model,
          loss,
          optimizer: optimizer(),
          engine,
          ...(assist ? { assist } : {}),
          callbacks: [{ onStepEnd: (state) => void losses.push(state.loss) }],
        })
        const history = await trainer.fit(data, { batchSize: golden.batchSize, shuffle: false })
        expect(history.engine).toBe(engine)
        expect(history.assist).toBe(library)
        expect(losses).toHaveLength(expected.losses.length)
        losses.forEach((value, step) => {
          const right = expected.losses[step]!
          expect(Math.abs(value - right) / right, `loss of step ${step + 1}`).toBeLessThan(TOLERANCE)
        })
        model.getWeights().forEach((weight, i) => {
          const { originalName } = model.weights[i]!
          const [before, after] = [golden.weights[i]!, expected.weights[i]!].map(floats) as [number[], number[]]
          const actual = Array.from(weight.dataSync())
          expect(difference(actual, after), originalName).toBeLessThan(TOLERANCE)
          // Weights hardly move in 20 steps: what they moved by must agree too.
          const change = difference(minus(actual, before), minus(after, before))
          expect(change, `change of ${originalName}`).toBeLessThan(TOLERANCE)
        })
      })
    })
  })
}
