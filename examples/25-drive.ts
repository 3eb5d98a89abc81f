/**
 * Learns to steer a car from what its camera sees. A small convolutional network gets pictures of drawn roads, and beside
 * each how a careful driver, who knows where the car is, would steer. Then it drives alone, in gusts of wind, on roads
 * that it has never seen, where each of its errors changes what it sees next. The lane is 3.5 m wide, the car 1.8 m.
 *
 * Command: npm run examples -- 25
 * Time: below 20 s on two cores
 * Prints: a picture from the camera, how far the car gets without leaving its lane, beside one that never steers, and
 *   where a picture of a run from above is.
 * @module
 */

import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  DataParallel,
  Dataset,
  oneCycle,
  Predictor,
  Random,
  selectBackend,
  Trainer,
  type ValuePrediction,
} from 'dcml'
import { type Car, drawRoad, drive, driver, fromAbove, inLetters, look, metresInLane, PICTURE } from './road.js'
import { between, expectAtLeast, expectAtMost, quick } from './targets.js'

const PICTURES = quick ? 3000 : 8000
const EPOCHS = quick ? 4 : 8
const BATCH = 32
const ROADS = quick ? 5 : 20
const METRES = quick ? 200 : 1000
const FROM_MIDDLE = quick ? 0.5 : 0.2
const SCALE = 100 // curvatures are small numbers; the network learns them times this

const random = new Random(1)
const pictures = Dataset.fromRows(
  Array.from({ length: PICTURES }, () => {
    const road = drawRoad(random)
    // Also where a careful driver never gets, so that the network learns how to come back.
    const car = { offset: between(random, -1.5, 1.5), heading: between(random, -0.2, 0.2), place: 0 }
    return { x: look(road, car, random), y: SCALE * driver(road, car) }
  }),
)

await selectBackend()
const { layers } = tfl
const kernelInitializer = (seed: number) => tfl.initializers.heNormal({ seed })
const convolution = (filters: number, kernelSize: number) =>
  layers.conv2d({ filters, kernelSize, strides: 2, activation: 'relu', kernelInitializer: kernelInitializer(filters) })
const trainer = new Trainer({
  model: tfl.sequential({
    layers: [
      layers.inputLayer({ inputShape: [...PICTURE, 1] }),
      convolution(16, 5),
      convolution(32, 3),
      layers.flatten(),
      layers.dense({ units: 64, activation: 'relu', kernelInitializer: kernelInitializer(64) }),
      layers.dense({ units: 1, kernelInitializer: kernelInitializer(1) }),
    ],
  }),
  loss: 'meanSquaredError',
  optimizer: adam({ learningRate: oneCycle(3e-3, { steps: EPOCHS * Math.ceil(PICTURES / BATCH) }) }),
  strategy: new DataParallel({ workers: 2 }),
  callbacks: [{ onEpochEnd: ({ record }) => console.log(`epoch ${record.epoch + 1}: loss ${record.loss.toFixed(4)}`) }],
  seed: 1,
})
await trainer.fit(pictures, { epochs: EPOCHS, batchSize: BATCH })
await trainer.close()

const roads = Array.from({ length: ROADS }, () => drawRoad(random))

/** Drives a car on each road; where it is after every metre. */
async function run(steer: (pictures: Float32Array[]) => Promise<ArrayLike<number>>): Promise<number[][]> {
  const cars = roads.map((): Car => ({ offset: 0, heading: 0, place: 0 }))
  const offsets: number[][] = roads.map(() => [])
  for (let metre = 0; metre < METRES; metre++) {
    const steered = await steer(cars.map((car, i) => look(roads[i]!, car, random)))
    cars.forEach((car, i) => {
      drive(roads[i]!, car, steered[i]!, random)
      offsets[i]!.push(car.offset)
    })
  }
  return offsets
}

const predictor = new Predictor<{ x: Float32Array }, ValuePrediction>({ model: trainer.model })
const driven = await run(async (pictures) => {
  const predictions = await predictor.predict(pictures.map((x) => ({ x })))
  return predictions.map(({ value }) => value / SCALE)
})
const straight = await run(async (pictures) => pictures.map(() => 0))

console.log(inLetters(look(roads[0]!, { offset: 0.3, heading: 0, place: 100 }, random)))
const page = join(await mkdtemp(join(tmpdir(), 'dcml-example-')), 'run.svg')
await writeFile(page, fromAbove(roads[0]!, { black: driven[0]!, red: straight[0]!.slice(0, 60) }))
console.log(`A run from above, in black, and in red without steering: ${page}`)
const far = straight.map(metresInLane).sort((a, b) => a - b)
console.log(`Without steering the car leaves its lane after ${far[0]} to ${far.at(-1)} m.`)
expectAtLeast(`Metres in the lane, on the worst of ${ROADS} roads`, Math.min(...driven.map(metresInLane)), METRES)
const squares = driven.flat().map((offset) => offset ** 2)
const distance = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length)
expectAtMost('Metres from the middle, root of the mean square', distance, FROM_MIDDLE)
