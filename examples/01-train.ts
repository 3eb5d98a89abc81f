/**
 * Trains a small network on drawn digits.
 *
 * Command: npm run examples -- 01
 * Time: below 10 s on two cores
 * Prints: the accuracy on digits it has not seen.
 * @module
 */

import { adam, selectBackend, Trainer } from 'dcml'
import { digits, network } from './digits.js'
import { expectAtLeast } from './targets.js'

const EPOCHS = 5
const TARGET = 0.9

await selectBackend()
const trainer = new Trainer({
  model: network(),
  loss: 'sparseCategoricalCrossentropy',
  optimizer: adam({ learningRate: 2e-3 }),
  metrics: ['accuracy'],
  seed: 42,
})
const history = await trainer.fit(await digits(4000, 1), {
  epochs: EPOCHS,
  batchSize: 32,
  validation: await digits(1000, 2),
})
await trainer.close()

expectAtLeast('Accuracy', history.epochs.at(-1)!.val_accuracy!, TARGET)
