/**
 * Sends gradients as thin matrices (PowerSGD), and compares traffic and accuracy with whole gradients.
 *
 * Command: npm run examples -- 08
 * Time: below 30 s on two cores
 * Prints: accuracy on digits not seen, and megabytes that a worker sent, of both.
 * @module
 */

import { adam, type Compression, DataParallel, powerSgd, selectBackend, sharedMemory, Trainer } from 'dcml'
import { digits, network } from './digits.js'
import { expectAtLeast } from './targets.js'

const RANK = 4
// Enough for the 4 MB by which workers measure their link first to count little.
const EPOCHS = 15
const TIMES_LESS = 10
const LOST = 0.03

await selectBackend()
const train = await digits(4000, 1)
const test = await digits(1000, 2)

async function run(compression?: Compression): Promise<{ accuracy: number; megabytes: number }> {
  const trainer = new Trainer({
    model: network(),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 2e-3 }),
    metrics: ['accuracy'],
    // Messages, as between processes: what shares one memory has nothing to compress.
    strategy: new DataParallel({
      workers: 2,
      transport: sharedMemory({ native: false }),
      ...(compression ? { compression } : {}),
    }),
    seed: 42,
  })
  const { epochs, workers } = await trainer.fit(train, { epochs: EPOCHS, batchSize: 64, validation: test })
  await trainer.close()
  return { accuracy: epochs.at(-1)!.val_accuracy!, megabytes: workers![0]!.sentBytes / 1e6 }
}

const whole = await run()
const thin = await run(powerSgd({ rank: RANK }))
console.log(`Whole gradients: ${whole.accuracy.toFixed(4)}, ${whole.megabytes.toFixed(1)} MB`)
console.log(`PowerSGD: ${thin.accuracy.toFixed(4)}, ${thin.megabytes.toFixed(1)} MB`)
expectAtLeast('Accuracy', thin.accuracy, whole.accuracy - LOST)
expectAtLeast('Times less traffic', whole.megabytes / thin.megabytes, TIMES_LESS)
