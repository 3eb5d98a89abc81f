import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadLibrary } from '../../src/backends/cuda/ffi/libraries.js'
import { thisMachine } from '../../src/backends/cuda/ffi/places.js'
import { selectBackend } from '../../src/backends/index.js'
import { ConfigError, loadKoffi } from '../../src/core/index.js'
import { Dataset } from '../../src/data/index.js'
import { Trainer } from '../../src/training/index.js'
import { driverMeter } from './driver-meter.js'
import { needStandIn } from './stand-in.js'

const rows = 300
const data = Dataset.fromArrays({
  x: { data: Float32Array.from({ length: rows * 36 }, (_, i) => Math.sin(i * 1.7)), shape: [rows, 6, 6, 1] },
  y: { data: Int32Array.from({ length: rows }, (_, i) => i % 3), shape: [rows] },
})

const network = () =>
  tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1] }),
      tfl.layers.batchNormalization({}),
      tfl.layers.flatten(),
      tfl.layers.dropout({ rate: 0.2 }),
      tfl.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  })

/** Trains with all that takes memory: programs of three sizes, graphs, series, tables, moving means. */
async function train(onStepEnd?: () => void): Promise<void> {
  const model = network()
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
    ...(onStepEnd && { callbacks: [{ onStepEnd, relaxed: true }] }),
  })
  try {
    await trainer.fit(data, { epochs: 4, batchSize: 8, validation: data })
  } finally {
    await trainer.close()
    model.dispose()
  }
}

const bytesOfTensors = () => (tf.memory() as unknown as { numBytesInGPU: number }).numBytesInGPU

describe.runIf(needStandIn('the memory of training'))('training on cuda', () => {
  let meter: Awaited<ReturnType<typeof driverMeter>>
  let setCapacity: (bytes: number) => number

  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
    meter = await driverMeter()
    const loaded = await loadKoffi()
    if ('reason' in loaded) throw new Error(loaded.reason)
    const { library } = loadLibrary(loaded.koffi, 'driver', thisMachine())
    setCapacity = library.func('int standInCapacity(size_t bytes)') as unknown as typeof setCapacity
  })

  it('gives back all that it took, and takes no more the next time', async () => {
    const before = bytesOfTensors()
    await train()
    expect(bytesOfTensors()).toBe(before)
    const taken = meter.bytesInUse()
    await train()
    expect(bytesOfTensors()).toBe(before)
    expect(meter.bytesInUse()).toBe(taken)
  })

  it('ends with an error where there is no room, and leaves room for the next', async () => {
    await train()
    const before = { tensors: bytesOfTensors(), numTensors: tf.memory().numTensors }
    // After the first step there is no room for anything more than is in use.
    const error = await train(() => void setCapacity(bytesOfTensors())).catch((reason: unknown) => reason)
    setCapacity(0)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).toMatch(/The GPU has no memory left for a .* of shape/)
    expect({ tensors: bytesOfTensors(), numTensors: tf.memory().numTensors }).toEqual(before)
    await train()
  })
})
