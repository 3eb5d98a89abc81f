import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describe, expect, it } from 'vitest'
import { selectBackend } from '../../src/backends/index.js'
import { Dataset } from '../../src/data/index.js'
import { Trainer } from '../../src/training/index.js'
import { driverMeter } from '../cuda/driver-meter.js'
import { useStandIn } from '../cuda/stand-in.js'

const rows = 250 * 4
const epochs = 49

describe.runIf(useStandIn('memory over many steps'))('training on cuda', () => {
  it('takes no more of the GPU in 10,000 further steps', async () => {
    await selectBackend({ prefer: ['cuda'] })
    const meter = process.env.DCML_TEST_GPU ? undefined : await driverMeter()
    const model = tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 4, activation: 'relu', inputShape: [6] }),
        tfl.layers.batchNormalization({}),
        tfl.layers.dropout({ rate: 0.2 }),
        tfl.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    })
    const taken: unknown[] = []
    const note = () => {
      const { numBytesInGPU, numTensors } = tf.memory() as tf.MemoryInfo & { numBytesInGPU: number }
      taken.push({ numBytesInGPU, numTensors, driver: meter?.bytesInUse() })
    }
    const trainer = new Trainer({
      model,
      loss: 'sparseCategoricalCrossentropy',
      engine: 'captured',
      callbacks: [{ onEpochEnd: note }],
    })
    const data = Dataset.fromArrays({
      x: { data: Float32Array.from({ length: rows * 6 }, (_, i) => Math.sin(i)), shape: [rows, 6] },
      y: { data: Int32Array.from({ length: rows }, (_, i) => i % 3), shape: [rows] },
    })
    const { engine } = await trainer.fit(data, { epochs, batchSize: 4, validation: data })
    await trainer.close()
    expect(engine).toBe('captured')
    // After 2,250 steps all is captured, and a first check against tfjs has been made.
    expect(taken.length).toBe(epochs)
    for (const later of taken.slice(9)) expect(later).toEqual(taken[8])
  })
})
