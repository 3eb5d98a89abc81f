/**
 * Adds callbacks: one of our own, early stopping and checkpoints.
 *
 * Command: npm run examples -- 02
 * Time: below 10 s on two cores
 * Prints: a line per epoch, what is stored, and the accuracy.
 * @module
 */

import { adam, type Callback, checkpoint, earlyStopping, memory, selectBackend, Trainer } from 'dcml'
import { digits, network } from './digits.js'
import { expectAtLeast } from './targets.js'

const EPOCHS = 5
const TARGET = 0.9

const diary: Callback = {
  onEpochEnd({ record }) {
    console.log(`epoch ${record.epoch}: loss ${record.loss.toFixed(3)}`)
  },
}

await selectBackend()
const store = memory()
const trainer = new Trainer({
  model: network(),
  loss: 'sparseCategoricalCrossentropy',
  optimizer: adam({ learningRate: 2e-3 }),
  metrics: ['accuracy'],
  callbacks: [diary, earlyStopping({ monitor: 'val_loss', patience: 2 }), checkpoint({ store, keepBest: 1 })],
  seed: 42,
})
const history = await trainer.fit(await digits(4000, 1), {
  epochs: EPOCHS,
  batchSize: 32,
  validation: await digits(1000, 2),
})
await trainer.close()

console.log(`Stored: ${(await store.list('')).join(', ')}`)
expectAtLeast('Accuracy', history.epochs.at(-1)!.val_accuracy!, TARGET)
