/**
 * Cleans and encodes a table with gaps, outliers and categories, and trains on it.
 *
 * Command: npm run examples -- 06
 * Time: below 10 s on two cores
 * Prints: what became of the first guest, an answer for a new one, and the accuracy on guests it has not seen.
 * @module
 */

import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  clipOutliers,
  concat,
  Dataset,
  impute,
  oneHot,
  Predictor,
  Preprocessor,
  Random,
  selectBackend,
  standardize,
  Trainer,
} from 'dcml'
import { expectAtLeast } from './targets.js'

const ROWS = 3000
const TARGET = 0.9

/** A guest tips when the bill per hour is high for the town. One value in ten is missing, one bill in fifty absurd. */
function makeGuests(seed: number) {
  const random = new Random(seed)
  const gap = (value: number) => (random.uniform() < 0.1 ? null : value)
  return Array.from({ length: ROWS }, () => {
    const town = ['Oslo', 'Rome', 'Lima'][random.integer(3)]!
    const hours = 1 + 3 * random.uniform()
    const bill = 20 + 80 * random.uniform()
    const tips = bill / hours > { Oslo: 35, Rome: 25, Lima: 15 }[town]! ? 'yes' : 'no'
    return { bill: gap(random.uniform() < 0.02 ? bill * 1000 : bill), hours: gap(hours), town, y: tips }
  })
}

await selectBackend()
const guests = makeGuests(1)
const preprocessor = new Preprocessor([
  clipOutliers('bill', { method: 'iqr' }),
  impute(['bill', 'hours'], { with: 'median' }),
  standardize(['bill', 'hours']),
  oneHot(['town', 'y']),
  concat(['bill', 'hours', 'town']), // into x, [rows, 5]
])
const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: 1 })
const trainer = new Trainer({
  model: tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 16, activation: 'relu', inputShape: [5], kernelInitializer: kernelInitializer() }),
      tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: kernelInitializer() }),
    ],
  }),
  loss: 'categoricalCrossentropy',
  optimizer: adam({ learningRate: 0.01 }),
  metrics: ['accuracy'],
  preprocessor, // fitted on the training set by fit()
  seed: 42,
})
await trainer.fit(Dataset.fromRows(guests), { epochs: 10 })

console.log(guests[0], 'becomes', preprocessor.transformRow(guests[0]!))
const predictor = new Predictor({ model: trainer.model, preprocessor })
const [answer] = await predictor.explain([{ bill: 90, hours: null, town: 'Lima' }])
console.log(`A bill of 90 in Lima: tips "${answer!.class}", with probability ${answer!.probability.toFixed(2)}`)

const { accuracy } = await trainer.evaluate(Dataset.fromRows(makeGuests(2)))
await trainer.close()
expectAtLeast('Accuracy', accuracy!, TARGET)
