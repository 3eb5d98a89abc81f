/** A crew in this thread that trains a small classifier. */

import * as tfl from '@tensorflow/tfjs-layers'
import { Random } from '../../../src/core/index.js'
import type { GroupStrategy } from '../../../src/distributed/index.js'
import { namedWeights, serializeTopology } from '../../../src/models/index.js'
import { adam, describeOptimizer } from '../../../src/optimizers/index.js'
import { MemberCrew } from '../../../src/testing/member-crew.js'
import type { StepRecord } from '../../../src/training/index.js'

const CLASSES = 10

/** The crew, and how to train it: `rows` in order, `accumulateSteps` batches an update. */
export interface ClassifierCrew {
  crew: MemberCrew
  train(firstStep: number, batchSize: number, accumulateSteps?: number): Promise<StepRecord[][]>
}

export async function classifierCrew(
  { description, group }: GroupStrategy,
  { rows, features, units }: { rows: number; features: number; units: number },
): Promise<ClassifierCrew> {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units, activation: 'relu', inputShape: [features] }),
      tfl.layers.dense({ units: CLASSES, activation: 'softmax' }),
    ],
  })
  const weights = Object.fromEntries(
    namedWeights(model).map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
  )
  const job = {
    model: { topology: serializeTopology(model) },
    loss: 'sparseCategoricalCrossentropy',
    metrics: [],
    optimizer: describeOptimizer(adam()),
    engine: 'captured' as const,
    seed: 1,
    backend: 'wasm' as const,
    columns: { features: 'x', target: 'y' },
  }
  model.dispose()
  const crew = await MemberCrew.start(job, weights, { description, workers: group.size })
  const random = new Random(1)
  const x = Float32Array.from({ length: rows * features }, () => random.normal())
  const y = Int32Array.from({ length: rows }, (_, row) => row % CLASSES)
  await crew.setData('train', { x: { data: x, shape: [rows, features] }, y: { data: y, shape: [rows] } })
  const order = Uint32Array.from({ length: rows }, (_, row) => row)
  return {
    crew,
    train: (firstStep, batchSize, accumulateSteps = 1) =>
      crew.train({ data: 'train', order, from: 0, to: rows, batchSize, accumulateSteps, firstStep }),
  }
}
