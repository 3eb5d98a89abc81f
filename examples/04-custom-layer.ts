/**
 * Trains a model with a layer of our own on two workers, which load it from a setup module.
 *
 * Command: npm run examples -- 04
 * Time: below 15 s on two cores
 * Prints: the accuracy on digits it has not seen.
 * @module
 */

import { adam, DataParallel, selectBackend, Trainer } from 'dcml'
import { digits } from './digits.js'
import { expectAtLeast } from './targets.js'

const EPOCHS = 5
const TARGET = 0.9

await selectBackend()
const trainer = new Trainer({
  model: 'swishNetwork',
  setup: new URL('./layers.js', import.meta.url),
  loss: 'sparseCategoricalCrossentropy',
  optimizer: adam({ learningRate: 2e-3 }),
  metrics: ['accuracy'],
  strategy: new DataParallel({ workers: 2 }),
  seed: 42,
})
const history = await trainer.fit(await digits(4000, 1), {
  epochs: EPOCHS,
  batchSize: 32,
  validation: await digits(1000, 2),
})
await trainer.close()

expectAtLeast('Accuracy', history.epochs.at(-1)!.val_accuracy!, TARGET)
