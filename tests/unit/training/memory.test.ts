import { queryObjects, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { Dataset } from '../../../src/data/index.js'
import { adam } from '../../../src/optimizers/index.js'
import { Trainer } from '../../../src/training/index.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

function measure() {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  // The last is what dcml's backend adds to tfjs' own report.
  const { numTensors, numDataBuffers, numBytesInWasm } = tf.memory() as tf.MemoryInfo & { numBytesInWasm: number }
  const objects = queryObjects(Object, { format: 'count' }) as unknown as number
  return { tensors: { numTensors, numDataBuffers, numBytesInWasm }, objects, bytes: heapUsed + arrayBuffers }
}

it('holds no more after 1,000 further steps: no tensor, no byte in wasm, no object', async () => {
  const rows = 1600 * 8
  const data = Dataset.fromArrays({
    x: { data: Float32Array.from({ length: rows * 36 }, (_, i) => Math.sin(i)), shape: [rows, 6, 6, 1] },
    y: { data: Int32Array.from({ length: rows }, (_, i) => i % 3), shape: [rows] },
  })
  const model = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1] }),
      tfl.layers.batchNormalization(),
      tfl.layers.dropout({ rate: 0.2 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  })
  const measured: ReturnType<typeof measure>[] = []
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam(),
    metrics: ['accuracy'],
    clipNorm: 1,
    callbacks: [{ onStepEnd: ({ step }) => void ((step === 550 || step === 1550) && measured.push(measure())) }],
  })
  await trainer.fit(data, { batchSize: 8 })
  const [before, after] = measured as [ReturnType<typeof measure>, ReturnType<typeof measure>]
  expect(after.tensors).toEqual(before.tensors)
  // One object kept per step would be 1,000.
  expect(after.objects - before.objects).toBeLessThan(20)
  // V8 goes on compiling what runs often, some hundred kB of code; the smallest buffer of a step kept would be more.
  expect(after.bytes - before.bytes).toBeLessThan(1_000_000)
})
