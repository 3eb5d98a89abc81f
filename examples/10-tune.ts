/**
 * Searches for a learning rate, a size and an optimizer, ends what is not promising early, trains the best on all data
 * and writes a report.
 *
 * Command: npm run examples -- 10
 * Time: below 30 s on two cores
 * Prints: the search, the best parameters, and the accuracy of the final model on digits that it never saw.
 * @module
 */

import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  asha,
  choice,
  conditional,
  intUniform,
  logUniform,
  selectBackend,
  sgd,
  Trainer,
  Tuner,
  tpe,
  tuneAndRetrain,
  tuningProgress,
  uniform,
} from 'dcml'
import { directory, sqlite } from 'dcml/node'
import { digits } from './digits.js'
import { expectAtLeast } from './targets.js'

const TARGET = 0.9

/** With weights that are the same in every run, so that the search is. */
const network = (units: number) => {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 1 })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units, activation: 'relu', kernelInitializer, inputShape: [784] }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer }),
    ],
  })
}

await selectBackend()
const folder = await mkdtemp(join(tmpdir(), 'dcml-example-'))
const tuner = new Tuner({
  space: {
    optimizer: choice(['adam', 'sgd']),
    rate: logUniform(1e-5, 1e-1),
    momentum: conditional('optimizer', 'sgd', uniform(0, 0.95)),
    units: intUniform(8, 128, { log: true }),
  },
  sampler: tpe({ seed: 1 }),
  scheduler: asha({ reductionFactor: 3 }),
  direction: 'maximize',
  // Start the example twice on one file, and both work on the same study.
  storage: sqlite(join(folder, 'study.sqlite')),
  callbacks: [tuningProgress({ lines: true })],
})
const { best, trainer } = await tuneAndRetrain(tuner, {
  trainer: ({ optimizer, rate, momentum = 0, units }, callbacks) =>
    new Trainer({
      model: network(units),
      loss: 'sparseCategoricalCrossentropy',
      optimizer: optimizer === 'adam' ? adam({ learningRate: rate }) : sgd({ learningRate: rate, momentum }),
      metrics: ['accuracy'],
      callbacks,
    }),
  train: await digits(2000, 1),
  validation: await digits(500, 2),
  fit: { epochs: 9 },
  monitor: 'val_accuracy',
  trials: 20,
  store: directory(join(folder, 'model')),
})
await writeFile(join(folder, 'report.html'), best.toHTML({ title: 'Drawn digits' }))
console.log(`Best of ${best.trials.length}: ${best.value}`, best.params)
console.log(`In ${folder}: study.sqlite, report.html, model`)
const { accuracy } = await trainer.evaluate(await digits(1000, 3))
await trainer.close()
expectAtLeast('Accuracy of the final model', accuracy!, TARGET)
