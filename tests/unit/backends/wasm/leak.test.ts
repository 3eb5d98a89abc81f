import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomTensor, selectBackend } from '../../../../src/backends/index.js'
import { activeWasmBackend } from '../../../../src/backends/wasm/register.js'
import { noise } from '../gradients/numeric-gradient.js'

const { layers } = tfl

describe('memory over 1,000 training steps', () => {
  beforeAll(async () => {
    await selectBackend({ prefer: ['wasm'] })
  })

  it.each([
    [
      'MLP',
      [
        layers.dense({ units: 8, activation: 'relu', inputShape: [10] }),
        layers.dense({ units: 3, activation: 'softmax' }),
      ],
      [10],
    ],
    [
      'CNN',
      [
        layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1] }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.batchNormalization(),
        layers.flatten(),
        layers.dense({ units: 3, activation: 'softmax' }),
      ],
      [6, 6, 1],
    ],
    [
      'LSTM',
      [
        layers.lstm({ units: 3, inputShape: [3, 2] }) as tfl.layers.Layer,
        layers.dense({ units: 3, activation: 'softmax' }),
      ],
      [3, 2],
    ],
  ] as [string, tfl.layers.Layer[], number[]][])('%s leaves tensors and bytes flat', async (_name, list, shape) => {
    const model = tfl.sequential({ layers: list })
    model.compile({ loss: 'categoricalCrossentropy', optimizer: tf.train.adam(0.001), metrics: ['accuracy'] })
    const step = async (rows: number) => {
      const x = noise([rows, ...shape])
      const y = tf.tidy(() =>
        tf.oneHot(
          tf.tensor1d(
            Array.from({ length: rows }, (_, i) => i % 3),
            'int32',
          ),
          3,
          1,
          0,
          'float32',
        ),
      )
      const mask = randomTensor({
        kind: 'dropoutMask',
        shape: [rows, ...shape],
        rate: 0.1,
        seed: 1,
        step: 0,
        firstRow: 0,
        stream: 0,
      })
      const dropped = tf.mul(x, mask)
      await model.trainOnBatch(dropped, y)
      tf.dispose([x, y, mask, dropped])
    }
    // The last batch of an epoch is smaller, so both sizes come along.
    for (let i = 0; i < 10; i++) await step(i % 5 === 4 ? 5 : 8)
    const backend = activeWasmBackend()!
    const before = {
      tensors: tf.memory().numTensors,
      data: backend.numDataIds(),
      bytes: backend.heap.bytesInUse,
      capacity: backend.heap.capacityBytes,
    }
    for (let i = 0; i < 1000; i++) await step(i % 5 === 4 ? 5 : 8)
    expect({
      tensors: tf.memory().numTensors,
      data: backend.numDataIds(),
      bytes: backend.heap.bytesInUse,
      capacity: backend.heap.capacityBytes,
    }).toEqual(before)
  })
})
