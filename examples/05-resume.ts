/**
 * Stops training half-way, resumes from the checkpoint, and compares with training that never stopped.
 *
 * Command: npm run examples -- 05
 * Time: below 10 s on two cores
 * Prints: whether all weights are equal, bit for bit.
 * @module
 */

import { adam, checkpoint, memory, type Store, selectBackend, Trainer } from 'dcml'
import { digits, network } from './digits.js'

const EPOCHS = 4

await selectBackend()
const train = await digits(1000, 1)

async function weightsAfter(epochs: number, store: Store, resumeFrom?: Store): Promise<number[]> {
  const trainer = new Trainer({
    model: network(),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 1e-3 }),
    callbacks: [checkpoint({ store })],
    seed: 42,
  })
  await trainer.fit(train, { epochs, batchSize: 32, ...(resumeFrom ? { resumeFrom } : {}) })
  await trainer.close()
  return trainer.model.getWeights().flatMap((weight) => Array.from(weight.dataSync()))
}

const straight = await weightsAfter(EPOCHS, memory())
const store = memory()
const half = await weightsAfter(EPOCHS / 2, store)
const resumed = await weightsAfter(EPOCHS, store, store)

const equal = straight.every((value, i) => Object.is(value, resumed[i]))
const moved = half.some((value, i) => value !== resumed[i])
console.log(`${straight.length} weights, ${equal ? 'equal' : 'NOT equal'} bit for bit`)
if (!equal || !moved) process.exitCode = 1
