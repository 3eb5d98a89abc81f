import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { Driver } from '../../src/backends/cuda/ffi/driver.js'
import { loadLibrary } from '../../src/backends/cuda/ffi/libraries.js'
import { thisMachine } from '../../src/backends/cuda/ffi/places.js'
import { selectBackend } from '../../src/backends/index.js'
import { loadKoffi } from '../../src/core/index.js'
import { Dataset } from '../../src/data/index.js'
import { adam } from '../../src/optimizers/index.js'
import { Trainer } from '../../src/training/index.js'
import { useStandIn } from './stand-in.js'

const isThere = useStandIn('memory over many steps')
/** The stand-in keeps count as a driver does, but takes its time. */
const STEPS = process.env.DCML_TEST_GPU ? 10_000 : 300
const STEPS_PER_EPOCH = 10

const rows = 8 * STEPS_PER_EPOCH
const data = Dataset.fromArrays({
  x: { data: Float32Array.from({ length: rows * 12 }, (_, i) => Math.sin(i)), shape: [rows, 12] },
  y: { data: Int32Array.from({ length: rows }, (_, i) => i % 3), shape: [rows] },
})

const network = () =>
  tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 16, activation: 'relu', inputShape: [12] }),
      tfl.layers.batchNormalization({}),
      tfl.layers.dropout({ rate: 0.25 }),
      tfl.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  })

describe.runIf(isThere)(`${STEPS} steps on cuda`, () => {
  let freeBytes: () => number

  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
    const loaded = await loadKoffi()
    if ('reason' in loaded) throw new Error(loaded.reason)
    const { calls } = new Driver(loadLibrary(loaded.koffi, 'driver', thisMachine()).library)
    freeBytes = () => calls.handle('cuMemGetInfo_v2', new BigUint64Array(1))
  })

  it.each(['captured', 'eager'] as const)(
    'take no more memory from step to step: %s',
    { timeout: 200_000 },
    async (engine) => {
      const seen: { reserved: number; tensors: number }[] = []
      const free: number[] = []
      const model = network()
      const trainer = new Trainer({
        model,
        loss: 'sparseCategoricalCrossentropy',
        optimizer: adam(),
        engine,
        callbacks: [
          {
            onEpochEnd: () => {
              const { numTensors, ...memory } = tf.memory()
              const { numBytesInGPUReserved: reserved } = memory as unknown as { numBytesInGPUReserved: number }
              seen.push({ reserved, tensors: numTensors })
              free.push(freeBytes())
            },
          },
        ],
      })
      const history = await trainer.fit(data, { epochs: STEPS / STEPS_PER_EPOCH, batchSize: 8 })
      await trainer.close()
      model.dispose()
      expect(history.engine).toBe(engine)
      expect(seen.length).toBe(STEPS / STEPS_PER_EPOCH)
      // What the first steps take, they keep.
      const settled = seen.slice(5)
      expect(settled).toEqual(settled.map(() => settled[0]))
      // The driver's own count is that of all processes on the GPU, in ranges of 2 MiB.
      expect(free[5]! - free.at(-1)!).toBeLessThan(16 * 2 ** 20)
    },
  )
})
