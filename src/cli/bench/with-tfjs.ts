/** Measures stock TensorFlow.js on its own wasm backend. @module */

import * as tf from '@tensorflow/tfjs-core'
import { EpochClock, type Measurement, type Order } from './measurement.js'
import { buildNetwork } from './networks.js'
import { randomData } from './random-data.js'

/**
 * Trains by `trainOnBatch` on batches made beforehand: faster than `fit`, which gathers the rows of each batch.
 *
 * @param loadBackend - Loads the package that registers the backend.
 */
export async function measureTfjs(order: Order, loadBackend: () => Promise<unknown>): Promise<Measurement> {
  await loadBackend()
  await tf.setBackend('wasm')
  await tf.ready()
  const { rowsPerWorker, stepsPerEpoch, seconds, network } = order
  const { rows, shape, x, y } = randomData(order)
  const model = buildNetwork(network)
  model.compile({ optimizer: tf.train.adam(1e-3), loss: 'sparseCategoricalCrossentropy' })
  const rowLength = x.length / rows
  const batches = Array.from({ length: stepsPerEpoch }, (_, i) => {
    const [from, to] = [i * rowsPerWorker, (i + 1) * rowsPerWorker]
    return {
      x: tf.tensor(x.subarray(from * rowLength, to * rowLength), [rowsPerWorker, ...shape]),
      y: tf.tensor(Float32Array.from(y.subarray(from, to)), [rowsPerWorker, 1]),
    }
  })
  const clock = new EpochClock(seconds)
  for (;;) {
    const startedMs = performance.now()
    for (const batch of batches) await model.trainOnBatch(batch.x, batch.y)
    if (clock.add(rows, (performance.now() - startedMs) / 1000)) break
  }
  return { usPerSample: clock.usPerSample, backend: tf.getBackend(), version: tf.version_core }
}
