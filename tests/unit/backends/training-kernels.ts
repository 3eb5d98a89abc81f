import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { type BackendName, selectBackend } from '../../../src/backends/index.js'
import { loanedKernels } from '../../../src/backends/loan.js'
import { noise } from './gradients/numeric-gradient.js'

/** Kernels that training reaches and the cpu backend computes, each with the reason. */
const onLoan: Record<string, string> = {
  LinSpace: 'Used once, for a handful of numbers.',
}

const { layers } = tfl
const dense = (units: number, activation?: 'softmax' | 'relu' | 'sigmoid') =>
  layers.dense({ units, ...(activation && { activation }) })

/** Trains a few steps and expects that the loss goes down. */
async function train(
  model: tfl.LayersModel,
  x: tf.Tensor | tf.Tensor[],
  y: tf.Tensor,
  { loss = 'meanSquaredError', optimizer = tf.train.adam(0.01) as tf.Optimizer, steps = 8 } = {},
): Promise<void> {
  model.compile({ loss, optimizer })
  const before = model.evaluate(x, y, { batchSize: 64 }) as tf.Scalar
  await model.fit(x, y, { epochs: steps, batchSize: 64, verbose: 0, shuffle: false })
  const after = model.evaluate(x, y, { batchSize: 64 }) as tf.Scalar
  expect((await after.data())[0]!).toBeLessThan((await before.data())[0]!)
}

const seq = (...list: tfl.layers.Layer[]) => tfl.sequential({ layers: list })
const oneHot = (rows: number, classes: number) =>
  tf.oneHot(
    tf.tensor1d(
      Array.from({ length: rows }, (_, i) => i % classes),
      'int32',
    ),
    classes,
    1,
    0,
    'float32',
  )

/** Trains a model of every kind, and expects that the backend computes all of it by itself. */
export function testTrainingKernels(backend: BackendName): void {
  describe(`kernels that training reaches on ${backend}`, () => {
    beforeAll(async () => {
      vi.spyOn(console, 'warn').mockImplementation(() => {})
      await selectBackend({ prefer: [backend] })
    })

    it('MLP, every activation', async () => {
      const names = [
        'elu',
        'hardSigmoid',
        'linear',
        'relu',
        'relu6',
        'selu',
        'sigmoid',
        'softmax',
        'softplus',
        'softsign',
        'tanh',
        'swish',
        'mish',
        'gelu',
      ] as const
      for (const activation of names)
        await train(
          seq(layers.dense({ units: 6, activation, inputShape: [5] }), dense(2)),
          noise([16, 5]),
          noise([16, 2], 2),
        )
      const advanced = [
        layers.leakyReLU(),
        layers.prelu(),
        layers.elu(),
        layers.thresholdedReLU({ theta: 0.1 }),
        layers.softmax(),
        layers.reLU({ maxValue: 4 }),
      ]
      await train(
        seq(layers.dense({ units: 6, inputShape: [5] }), ...advanced, dense(2)),
        noise([16, 5]),
        noise([16, 2], 2),
        { steps: 20 },
      )
    })

    it('every loss', async () => {
      const classes = ['categoricalCrossentropy', 'kullbackLeiblerDivergence', 'categoricalHinge', 'cosineProximity']
      for (const loss of classes)
        await train(
          seq(layers.dense({ units: 6, inputShape: [5] }), dense(3, 'softmax')),
          noise([15, 5]),
          oneHot(15, 3),
          { loss },
        )
      await train(
        seq(layers.dense({ units: 6, inputShape: [5] }), dense(3, 'softmax')),
        noise([15, 5]),
        tf.cast(tf.tensor2d(Array.from({ length: 15 }, (_, i) => [i % 3])), 'float32'),
        { loss: 'sparseCategoricalCrossentropy' },
      )
      const numbers = [
        'meanSquaredError',
        'meanAbsoluteError',
        'meanAbsolutePercentageError',
        'meanSquaredLogarithmicError',
        'logcosh',
        'binaryCrossentropy',
        'hinge',
        'squaredHinge',
        'poisson',
      ]
      for (const loss of numbers)
        await train(
          seq(layers.dense({ units: 6, inputShape: [5] }), dense(1, 'sigmoid')),
          noise([16, 5]),
          tf.cast(tf.greater(noise([16, 1], 3), 0), 'float32'),
          { loss },
        )
    })

    it('every optimizer of tfjs, with regularizers and constraints', async () => {
      const optimizers = [
        tf.train.sgd(0.01),
        tf.train.momentum(0.01, 0.9, true),
        tf.train.adam(0.01),
        tf.train.adamax(0.01),
        tf.train.adagrad(0.05),
        tf.train.adadelta(0.5),
        // Not centered: there tfjs takes epsilon off under the root, which gives NaN where a gradient hardly varies.
        tf.train.rmsprop(0.01, 0.9, 0.9, 1e-7),
      ]
      for (const optimizer of optimizers)
        await train(
          seq(
            layers.dense({
              units: 6,
              inputShape: [5],
              kernelRegularizer: tfl.regularizers.l1l2(),
              kernelConstraint: tfl.constraints.maxNorm({}),
            }),
            layers.dense({
              units: 2,
              biasConstraint: tfl.constraints.nonNeg(),
            }),
          ),
          noise([16, 5]),
          noise([16, 2], 2),
          { optimizer },
        )
    })

    it('CNN in one, two and three dimensions', async () => {
      await train(
        seq(
          layers.conv1d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [12, 3] }),
          layers.maxPooling1d({ poolSize: 2 }),
          layers.conv1d({ filters: 4, kernelSize: 2, dilationRate: 2 }),
          layers.averagePooling1d({ poolSize: 2 }),
          layers.globalMaxPooling1d(),
          dense(2),
        ),
        noise([8, 12, 3]),
        noise([8, 2], 2),
      )
      await train(
        seq(
          layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same', inputShape: [9, 9, 2] }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.maxPooling2d({ poolSize: 2, padding: 'same' }),
          layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
          layers.dropout({ rate: 0.1 }),
          layers.upSampling2d({ size: [2, 2] }),
          layers.upSampling2d({ size: [1, 2], interpolation: 'bilinear' }),
          layers.zeroPadding2d({ padding: 1 }),
          layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2 }),
          layers.averagePooling2d({ poolSize: 2 }),
          layers.cropping2D({
            cropping: [
              [1, 1],
              [0, 1],
            ],
          }),
          layers.conv2d({ filters: 3, kernelSize: 2, dilationRate: [2, 1] }),
          layers.globalAveragePooling2d({}),
          dense(2),
        ),
        noise([8, 9, 9, 2]),
        noise([8, 2], 2),
        { steps: 15 },
      )
      await train(
        seq(
          layers.conv3d({ filters: 3, kernelSize: 2, activation: 'relu', inputShape: [5, 5, 5, 2] }),
          layers.maxPooling3d({ poolSize: [2, 2, 2] }),
          layers.flatten(),
          dense(2),
        ),
        noise([4, 5, 5, 5, 2]),
        noise([4, 2], 2),
      )
    })

    it('depthwise and separable CNN', async () => {
      await train(
        seq(
          layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, inputShape: [8, 8, 3], activation: 'relu' }),
          layers.separableConv2d({ filters: 4, kernelSize: 3 }),
          layers.flatten(),
          dense(2),
        ),
        noise([6, 8, 8, 3]),
        noise([6, 2], 2),
      )
    })

    it('RNN, LSTM, GRU, bidirectional and time-distributed', async () => {
      for (const make of [layers.simpleRNN, layers.lstm, layers.gru])
        await train(
          seq(
            make({ units: 4, returnSequences: true, inputShape: [5, 3] }) as tfl.layers.Layer,
            layers.timeDistributed({ layer: dense(3) }),
            layers.bidirectional({ layer: make({ units: 3 }) as tfl.RNN, mergeMode: 'concat' }),
            dense(2),
          ),
          noise([6, 5, 3]),
          noise([6, 2], 2),
        )
      await train(
        seq(
          layers.convLstm2d({ filters: 2, kernelSize: 3, inputShape: [3, 6, 6, 1] }) as tfl.layers.Layer,
          layers.flatten(),
          dense(1),
        ),
        noise([4, 3, 6, 6, 1]),
        noise([4, 1], 2),
      )
    })

    it('embedding, with a mask', async () => {
      const words = tf.tensor2d(
        Array.from({ length: 6 * 7 }, (_, i) => (i * 5) % 11),
        [6, 7],
        'int32',
      )
      await train(
        seq(
          layers.embedding({ inputDim: 11, outputDim: 4, inputLength: 7, maskZero: true }),
          layers.lstm({ units: 3 }) as tfl.layers.Layer,
          dense(2),
        ),
        words,
        noise([6, 2], 2),
      )
      await train(
        seq(
          layers.embedding({ inputDim: 11, outputDim: 4, inputLength: 7 }),
          layers.globalAveragePooling1d(),
          dense(2),
        ),
        words,
        noise([6, 2], 2),
      )
    })

    it('several inputs and merging layers', async () => {
      const a = tfl.input({ shape: [4] })
      const b = tfl.input({ shape: [4] })
      const merged = [
        layers.add(),
        layers.multiply(),
        layers.average(),
        layers.maximum(),
        layers.minimum(),
        layers.concatenate(),
        layers.dot({ axes: 1 }),
      ].map((layer) => layer.apply([a, b]) as tfl.SymbolicTensor)
      const repeated = layers.flatten().apply(layers.repeatVector({ n: 3 }).apply(a)) as tfl.SymbolicTensor
      const permuted = layers
        .flatten()
        .apply(
          layers.permute({ dims: [2, 1] }).apply(layers.reshape({ targetShape: [2, 2] }).apply(b)),
        ) as tfl.SymbolicTensor
      const normal = layers
        .layerNormalization()
        .apply(layers.concatenate().apply([...merged, repeated, permuted])) as tfl.SymbolicTensor
      const noisy = layers.gaussianNoise({ stddev: 0.01 }).apply(layers.alphaDropout({ rate: 0.05 }).apply(normal))
      const y = dense(2).apply(noisy) as tfl.SymbolicTensor
      await train(tfl.model({ inputs: [a, b], outputs: y }), [noise([8, 4]), noise([8, 4], 3)], noise([8, 2], 2), {
        steps: 20,
      })
    })

    it('attention, written with tf operations', () => {
      const [batch, time, heads, width] = [2, 5, 2, 3]
      const x = noise([batch, time, heads * width])
      const weights = [1, 2, 3, 4].map((seed) => tf.variable(tf.mul(noise([heads * width, heads * width], seed), 0.4)))
      const target = noise([batch, time, heads * width], 9)
      const causal = tf.tensor2d(
        Array.from({ length: time * time }, (_, i) => (i % time <= Math.floor(i / time) ? 1 : 0)),
        [time, time],
      )
      const loss = () => {
        const split = (w: tf.Tensor) =>
          tf.reshape(tf.matMul(tf.reshape(x, [batch * time, -1]), w as tf.Tensor2D), [batch, time, heads, width])
        const [q, k, v] = weights.slice(0, 3).map(split) as [tf.Tensor, tf.Tensor, tf.Tensor]
        const scores = tf.div(tf.einsum('bqhd,bkhd->bhqk', q, k), Math.sqrt(width))
        const masked = tf.where(
          tf.cast(tf.broadcastTo(causal, scores.shape), 'bool'),
          scores,
          tf.fill(scores.shape, -1e9),
        )
        const mixed = tf.einsum('bhqk,bkhd->bqhd', tf.softmax(masked), v)
        const out = tf.matMul(tf.reshape(mixed, [batch * time, -1]), weights[3] as tf.Tensor as tf.Tensor2D)
        const residual = tf.add(tf.reshape(out, x.shape), x)
        const { mean, variance } = tf.moments(residual, -1, true)
        return tf.losses.meanSquaredError(
          target,
          tf.mul(tf.sub(residual, mean), tf.rsqrt(tf.add(variance, 1e-5))),
        ) as tf.Scalar
      }
      const optimizer = tf.train.adam(0.02)
      const first = loss().dataSync()[0]!
      for (let i = 0; i < 10; i++) optimizer.minimize(loss, false, weights)
      expect(loss().dataSync()[0]!).toBeLessThan(first)
    })

    it("are the backend's own, but for those with a reason", () => {
      expect(loanedKernels().filter((name) => !(name in onLoan))).toEqual([])
    })
  })
}
