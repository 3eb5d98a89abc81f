import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { LocalSGD, nesterov } from '../../../src/distributed/index.js'
import { namedWeights, serializeTopology } from '../../../src/models/index.js'
import { describeOptimizer, sgd } from '../../../src/optimizers/index.js'
import { MemberCrew } from '../../../src/testing/member-crew.js'

beforeAll(async () => {
  await selectBackend()
})

const ROWS = 40
const BATCH = 8
const RATE = 0.05
const x = Float32Array.from({ length: ROWS }, (_, i) => Math.sin(i) + 0.2 * Math.cos(3 * i))
const y = x.map((value, i) => 1.7 * value + 0.1 * Math.sin(7 * i))

/** A crew that trains a single weight: y = w x, from w = 0, without shuffling. */
async function start(strategy: LocalSGD) {
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [1], useBias: false })] })
  const { name } = namedWeights(model)[0]!
  const job = {
    model: { topology: serializeTopology(model) },
    loss: 'meanSquaredError',
    metrics: [],
    optimizer: describeOptimizer(sgd({ learningRate: RATE })),
    engine: 'auto' as const,
    seed: 0,
    backend: 'wasm' as const,
    columns: { features: 'x', target: 'y' },
  }
  const group = { description: strategy.description, workers: strategy.group.size }
  const crew = await MemberCrew.start(job, { [name]: Float32Array.of(0) }, group)
  await crew.setData('train', { x: { data: x, shape: [ROWS, 1] }, y: { data: y, shape: [ROWS, 1] } })
  const order = Uint32Array.from({ length: ROWS }, (_, i) => i)
  return {
    crew,
    name,
    train: () =>
      crew.train({ data: 'train', order, from: 0, to: ROWS, batchSize: BATCH, accumulateSteps: 1, firstStep: 1 }),
  }
}

/** The weight after an epoch. */
async function trained(strategy: LocalSGD): Promise<number> {
  const { crew, name, train } = await start(strategy)
  await train()
  const [state] = await crew.readState()
  await crew.close()
  return state!.parameters[name]![0]!
}

/** The same in a plain loop: each worker has half of the rows of a batch. */
function expected(everySteps: number, outer?: { learningRate: number; momentum: number }): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  let workers = [0, 0]
  let anchor = 0
  let velocity = 0
  for (let step = 1; step <= ROWS / BATCH; step++) {
    workers = workers.map((w, rank) => {
      const half = BATCH / 2
      const start = (step - 1) * BATCH + rank * half
      const rows = Array.from({ length: half }, (_, i) => start + i)
      return w - RATE * mean(rows.map((i) => 2 * x[i]! * (w * x[i]! - y[i]!)))
    })
    if (step % everySteps !== 0) continue
    if (outer) {
      const way = anchor - mean(workers)
      velocity = outer.momentum * velocity + way
      anchor -= outer.learningRate * (way + outer.momentum * velocity)
      workers = [anchor, anchor]
    } else workers = [mean(workers), mean(workers)]
  }
  return mean(workers)
}

describe('LocalSGD', () => {
  it('averages weights after so many steps', async () => {
    expect(await trained(new LocalSGD({ workers: 2, everySteps: 2 }))).toBeCloseTo(expected(2), 6)
  })

  it('takes an outer Nesterov step along the average', async () => {
    const outer = nesterov({ learningRate: 0.7, momentum: 0.9 })
    expect(await trained(new LocalSGD({ workers: 2, everySteps: 2, outer }))).toBeCloseTo(expected(2, outer), 6)
  })

  it('leaves a state that was read as it is while training goes on', async () => {
    const { crew, train } = await start(new LocalSGD({ workers: 2, everySteps: 2, outer: nesterov() }))
    await train()
    const [state] = await crew.readState()
    const before = structuredClone(state!.strategy)
    await train()
    const [later] = await crew.readState()
    await crew.close()
    expect(state!.strategy).toEqual(before)
    expect(later!.strategy).not.toEqual(before)
  })

  it('refuses what it cannot do', () => {
    expect(() => new LocalSGD({ everySteps: 0 })).toThrow(/everySteps/)
    expect(() => nesterov({ momentum: 1 })).toThrow(/momentum/)
    expect(() => nesterov({ learningRate: 0 })).toThrow(/learning rate/)
  })
})
