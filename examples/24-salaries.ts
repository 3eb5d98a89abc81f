/**
 * Finds what salaries depend on, and how surely. The example makes the table, so the effects are known; engineers live in
 * the city more often, so that a plain comparison of city and country misleads. A linear model is trained on the table
 * and, for intervals, again on bootstrap samples of it: people drawn with replacement, each with the weight of how often.
 *
 * Command: npm run examples -- 24
 * Time: below 30 s on two cores
 * Prints: true and found effects with 95 % intervals, the plain comparison, and how much the model needs each column.
 * @module
 */

import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  concat,
  Dataset,
  oneCycle,
  oneHot,
  Predictor,
  Preprocessor,
  permutationImportance,
  Random,
  type Row,
  rmse,
  selectBackend,
  standardize,
  Trainer,
  type ValuePrediction,
} from 'dcml'
import { expectAtLeast, expectAtMost, quick } from './targets.js'

const PEOPLE = 2000
const RESAMPLES = quick ? 50 : 400
const EPOCHS = 6
const BATCH = 50
const NOISE = 6 // thousands a year
const EFFECTS = {
  years: 1.2,
  degree: { none: 0, bachelor: 8, doctor: 15 },
  job: { nurse: 0, engineer: 12, teacher: -3 },
  place: { country: 0, city: 4 },
  height: 0,
}

const random = new Random(1)
const oneOf = <Name extends string>(names: Record<Name, number>) => {
  const all = Object.keys(names) as Name[]
  return all[random.integer(all.length)]!
}
const table = Array.from({ length: PEOPLE }, () => {
  const place = oneOf(EFFECTS.place)
  const job = place === 'city' && random.uniform() < 0.6 ? 'engineer' : oneOf(EFFECTS.job)
  const degree = oneOf(EFFECTS.degree)
  const years = 30 * random.uniform()
  const height = 170 + 10 * random.normal()
  const pay = 35 + EFFECTS.years * years + EFFECTS.degree[degree] + EFFECTS.job[job] + EFFECTS.place[place]
  return { years, degree, job, place, height, y: pay + NOISE * random.normal() }
})

/** Two people who differ in one thing, and what the difference is worth. */
const someone: Row = { years: 10, degree: 'none', job: 'nurse', place: 'country', height: 170 }
const questions = [
  { name: 'ten more years', other: { years: 20 }, truth: 10 * EFFECTS.years },
  { name: 'a bachelor degree', other: { degree: 'bachelor' }, truth: EFFECTS.degree.bachelor },
  { name: 'a doctorate', other: { degree: 'doctor' }, truth: EFFECTS.degree.doctor },
  { name: 'engineer, not nurse', other: { job: 'engineer' }, truth: EFFECTS.job.engineer },
  { name: 'teacher, not nurse', other: { job: 'teacher' }, truth: EFFECTS.job.teacher },
  { name: 'city, not country', other: { place: 'city' }, truth: EFFECTS.place.city },
  { name: '10 cm taller', other: { height: 180 }, truth: 0 },
]

await selectBackend()

type Model = Predictor<Row, ValuePrediction>

/** A model of the people, each counted as often as its weight says. */
async function train(weights: Float32Array): Promise<Model> {
  const preprocessor = new Preprocessor([
    standardize(['years', 'height']),
    oneHot(['degree', 'job', 'place']),
    concat(['years', 'height', 'degree', 'job', 'place']),
  ])
  const trainer = new Trainer({
    model: tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [10], kernelInitializer: 'zeros' })] }),
    loss: 'meanSquaredError',
    optimizer: adam({ learningRate: oneCycle(2, { steps: (EPOCHS * PEOPLE) / BATCH }) }),
    preprocessor,
    seed: 1,
  })
  const rows = Dataset.fromRows(table.map((row, i) => ({ ...row, weight: weights[i]! })))
  await trainer.fit(rows, { epochs: EPOCHS, batchSize: BATCH, sampleWeight: 'weight' })
  await trainer.close()
  return new Predictor<Row, ValuePrediction>({ model: trainer.model, preprocessor })
}

async function effectsOf(predictor: Model): Promise<number[]> {
  const people = [someone, ...questions.map(({ other }) => ({ ...someone, ...other }))]
  const [first, ...others] = await predictor.predict(people)
  return others.map(({ value }) => value - first!.value)
}

const predictor = await train(new Float32Array(PEOPLE).fill(1))
const effects = await effectsOf(predictor)
const drawn: number[][] = []
for (let sample = 0; sample < RESAMPLES; sample++) {
  const weights = new Float32Array(PEOPLE)
  for (let i = 0; i < PEOPLE; i++) weights[random.integer(PEOPLE)]! += 1
  using resampled = await train(weights)
  drawn.push(await effectsOf(resampled))
}

console.log('thousands a year           true   found   95 % interval')
const covered = questions.filter(({ name, truth }, i) => {
  const sorted = Float64Array.from(drawn, (values) => values[i]!).sort()
  const [low, high] = [0.025, 0.975].map((share) => sorted[Math.round(share * (RESAMPLES - 1))]!)
  const cells = [truth, effects[i]!, low!, high!].map((value) => value.toFixed(2).padStart(7))
  console.log(`${name.padEnd(22)}${cells[0]} ${cells[1]}  ${cells[2]} to${cells[3]}`)
  return low! <= truth && truth <= high!
})
const meanPay = (place: string) => {
  const pays = table.filter((row) => row.place === place).map(({ y }) => y)
  return pays.reduce((sum, pay) => sum + pay, 0) / pays.length
}
console.log(`Plain comparison: the city pays ${(meanPay('city') - meanPay('country')).toFixed(2)} more.`)

const importance = await permutationImportance(predictor, Dataset.fromRows(table), {
  metric: rmse(),
  smallerIsBetter: true,
  columns: ['years', 'degree', 'job', 'place', 'height'],
})
console.log('Error of the model grows, when a column is shuffled, by:')
for (const { feature, importance: loss } of importance)
  console.log(`  ${feature.padEnd(8)}${loss.toFixed(2).padStart(6)}`)

expectAtLeast(`Intervals of ${questions.length} that hold the truth`, covered.length, questions.length - 1)
expectAtMost(
  'Largest error of an effect',
  Math.max(...questions.map(({ truth }, i) => Math.abs(effects[i]! - truth))),
  1,
)
expectAtMost('Importance of height', importance.find(({ feature }) => feature === 'height')!.importance, 0.02)
