/**
 * The main job.
 *
 * Owns: the order of its parts and what it prints.
 * Leaves: everything else to the library, as any user would.
 * @module
 */

import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  DataParallel,
  loadBundle,
  oneCycle,
  progressBar,
  SingleWorker,
  selectBackend,
  Trainer,
} from '../../index.js'
import { directory, stopOnSignal } from '../../node.js'
import { loadDigits } from './data.js'
import { buildModel, type DigitsModel } from './models.js'
import { confusionTable, drawDigits, perClassTable } from './print.js'

/** Options of the command. */
export interface DigitsOptions {
  model: DigitsModel
  epochs: number
  batchSize?: number
  workers?: number
  data?: string
  out: string
  json?: string
}

const CLASSES = 10

/** Trains, evaluates, saves, loads and predicts. */
export async function runDigits(options: DigitsOptions): Promise<void> {
  const { model: kind, epochs } = options
  const workers = options.workers ?? availableParallelism()
  const batchSize = options.batchSize ?? (kind === 'cnn' ? 128 : 32)
  const { name, train, test } = await loadDigits(options.data)
  const backend = await selectBackend()
  console.log(`${name}: ${train.size} training and ${test.size} test images`)
  console.log(
    `${kind} on ${workers} worker${workers > 1 ? 's' : ''}, backend ${backend.name} (${backend.features.join(', ')})\n`,
  )

  const steps = Math.ceil(train.size! / batchSize) * epochs
  const trainer = new Trainer({
    model: buildModel(kind, 42),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: kind === 'cnn' ? oneCycle(4e-3, { steps }) : 1e-3 }),
    metrics: ['accuracy'],
    strategy: workers > 1 ? new DataParallel({ workers }) : new SingleWorker(),
    callbacks: [progressBar({ lines: true })],
    seed: 42,
  })
  const startedMs = performance.now()
  const history = await trainer.fit(train, { epochs, batchSize, signal: stopOnSignal() })
  const trainSeconds = (performance.now() - startedMs) / 1000
  await trainer.close()
  if (history.stopReason !== undefined) console.log(`Stopped: ${history.stopReason}`)

  const images = await test.columns()
  const truth = images.y!.data as Int32Array
  const predicted = predict(trainer.model, images.x!.data as Float32Array)
  const confusion = confusionMatrix(truth, predicted)
  const correct = confusion.reduce((sum, row, i) => sum + row[i]!, 0)
  const testAccuracy = correct / truth.length
  const samplesPerSecond = (train.size! * history.epochs.length) / trainSeconds

  console.log(`\nTest accuracy ${(100 * testAccuracy).toFixed(2)} % (${correct} of ${truth.length})`)
  console.log(`Trained in ${trainSeconds.toFixed(1)} s, ${Math.round(samplesPerSecond)} images/s\n`)
  console.log(perClassTable(confusion))
  console.log(confusionTable(confusion))

  const store = directory(options.out)
  await trainer.save(store)
  const { model: loaded } = await loadBundle(store)
  const first = (images.x!.data as Float32Array).subarray(0, 4 * 784)
  console.log(`Saved to ${options.out} and loaded again. The first test images and what the loaded model says:\n`)
  console.log(drawDigits(first, predict(loaded, first), truth))

  if (options.json === undefined) return
  const figures = {
    dataset: name,
    trainImages: train.size,
    testImages: test.size,
    model: kind,
    epochs: history.epochs.length,
    workers,
    backend: backend.name,
    engine: history.engine,
    testAccuracy,
    trainSeconds,
    samplesPerSecond,
  }
  await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`)
}

/** The most probable class of each image. */
function predict(model: tfl.LayersModel, pixels: Float32Array): Int32Array {
  const count = pixels.length / 784
  const classes = new Int32Array(count)
  const batch = 250
  for (let from = 0; from < count; from += batch) {
    const to = Math.min(count, from + batch)
    tf.tidy(() => {
      const x = tf.tensor(pixels.subarray(from * 784, to * 784), [to - from, 28, 28, 1])
      classes.set(tf.argMax(model.predictOnBatch(x) as tf.Tensor, -1).dataSync() as Int32Array, from)
    })
  }
  return classes
}

/** Counts by true class (rows) and predicted class (columns). */
function confusionMatrix(truth: Int32Array, predicted: Int32Array): number[][] {
  const counts = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0))
  truth.forEach((label, i) => {
    counts[label]![predicted[i]!]!++
  })
  return counts
}
