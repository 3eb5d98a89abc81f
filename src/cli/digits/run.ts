/**
 * The main job.
 *
 * Owns: the order of its parts and what it prints.
 * Leaves: everything else to the library, as any user would.
 * @module
 */

import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import {
  accuracy,
  adam,
  confusionMatrix,
  DataParallel,
  Evaluator,
  f1,
  oneCycle,
  Predictor,
  Preprocessor,
  progressBar,
  SingleWorker,
  scale,
  selectBackend,
  Trainer,
} from '../../index.js'
import { directory, stopOnSignal } from '../../node.js'
import { loadDigits } from './data.js'
import { drawDigits } from './draw.js'
import { buildModel, type DigitsModel } from './models.js'

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
  const preprocessor = new Preprocessor([scale('x', 1 / 255)])
  const trainer = new Trainer({
    model: buildModel(kind, 42),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: kind === 'cnn' ? oneCycle(4e-3, { steps }) : 1e-3 }),
    metrics: ['accuracy'],
    preprocessor,
    strategy: workers > 1 ? new DataParallel({ workers }) : new SingleWorker(),
    callbacks: [progressBar({ lines: true })],
    seed: 42,
  })
  const startedMs = performance.now()
  const history = await trainer.fit(train, { epochs, batchSize, signal: stopOnSignal() })
  const trainSeconds = (performance.now() - startedMs) / 1000
  await trainer.close()
  if (history.stopReason !== undefined) console.log(`Stopped: ${history.stopReason}`)

  const report = await new Evaluator({ metrics: [accuracy(), confusionMatrix(), f1()] }).evaluate(
    trainer.model,
    preprocessor.transform(test),
  )
  const testAccuracy = report.values.accuracy as number
  const samplesPerSecond = (train.size! * history.epochs.length) / trainSeconds
  console.log(`\n${report.toText()}`)
  console.log(`Trained in ${trainSeconds.toFixed(1)} s, ${Math.round(samplesPerSecond)} images/s\n`)

  const store = directory(options.out)
  await trainer.save(store)
  const predictor = await Predictor.load(store)
  const first = await test.take(4).columns()
  const answers = await predictor.explain(first, { topK: 1 })
  predictor.dispose()
  console.log(`Saved to ${options.out} and loaded again. The first test images and what the loaded model says:\n`)
  const said = answers.map((answer) => Number(answer.class))
  console.log(drawDigits(first.x!.data as Uint8Array, said, first.y!.data as Int32Array))

  const title = `${kind} on ${name === 'mnist' ? 'MNIST' : 'drawn digits'}`
  await writeFile('report.html', report.toHTML({ title, history }))
  console.log('The report with curves and the confusion matrix is in report.html')

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
