/**
 * Splits each batch over two worker threads, and compares with one worker.
 *
 * Command: npm run examples -- 03
 * Time: below 10 s on two cores
 * Prints: the final losses of both, which agree.
 * @module
 */

import { adam, DataParallel, type DistributedStrategy, SingleWorker, selectBackend, Trainer } from 'dcml'
import { digits, network } from './digits.js'

const TOLERANCE = 1e-3

await selectBackend()
const train = await digits(2000, 1)

async function finalLoss(strategy: DistributedStrategy): Promise<number> {
  const trainer = new Trainer({
    model: network(),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 1e-3 }),
    strategy,
    seed: 42,
  })
  const history = await trainer.fit(train, { epochs: 2, batchSize: 64 })
  await trainer.close()
  return history.epochs.at(-1)!.loss
}

const one = await finalLoss(new SingleWorker())
const two = await finalLoss(new DataParallel({ workers: 2 }))
console.log(`One worker: ${one.toFixed(6)}, two workers: ${two.toFixed(6)}`)
if (!(Math.abs(one - two) <= TOLERANCE * one)) process.exitCode = 1
