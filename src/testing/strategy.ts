/** The conformance suite of strategies with several workers. @module */

import * as tfl from '@tensorflow/tfjs-layers'
import { selectBackend } from '../backends/index.js'
import { Random, WorkerError } from '../core/index.js'
import type { GroupStrategy } from '../distributed/index.js'
import { namedWeights, serializeTopology } from '../models/index.js'
import { adam, describeOptimizer, type OptimizerDescription } from '../optimizers/index.js'
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type SharedColumns,
  type StepRecord,
  type TrainingJob,
  type TrainingState,
} from '../training/index.js'
import { MemberCrew } from './member-crew.js'
import type { ConformanceCase } from './suite.js'

/** How the suite gets its subject. */
export interface StrategySubject {
  /** Makes the strategy. Its workers run in the thread of the suite, over transports in memory. */
  create(workers: number): GroupStrategy
  /** Sizes of the groups. @default [1, 2, 3, 4] */
  worldSizes?: readonly number[]
  /** Whether it gives the weights of a single worker, up to rounding. @default true */
  exact?: boolean
  /** Whether the same run gives the same bits again. @default true */
  repeatable?: boolean
  /** @default adam({ learningRate: 0.01 }) */
  optimizer?: OptimizerDescription
  /** What the module exports that a `CustomStrategy` takes its member from. */
  setup?: Record<string, unknown>
}

/**
 * What every strategy must do, as cases for any test runner.
 *
 * @example
 * const create = (workers: number) => new ShardedDataParallel({ stage: 2, workers })
 * for (const { name, run } of testStrategy({ create })) it(name, run)
 */
export function testStrategy({
  create,
  worldSizes = [1, 2, 3, 4],
  exact = true,
  repeatable = true,
  optimizer = adam({ learningRate: 0.01 }),
  setup = {},
}: StrategySubject): ConformanceCase[] {
  const chosen = Object.entries(cases).filter(
    ([, { needs }]) => (needs !== 'exact' || exact) && (needs !== 'repeatable' || repeatable),
  )
  return worldSizes.flatMap((workers) =>
    chosen.map(([name, { holds }]) => ({
      name: `${name}, on ${workers} worker${workers > 1 ? 's' : ''}`,
      async run() {
        await selectBackend()
        await holds(new Bench({ create, setup }, workers, describeOptimizer({ ...adam(), ...optimizer })))
      },
    })),
  )
}

interface Case {
  /** What the subject must claim for the case to apply. */
  needs?: 'exact' | 'repeatable'
  holds(bench: Bench): Promise<void>
}

/** Largest norm of a difference over the norm: sums in another order. */
const TOLERANCE = 1e-5
const CLIP = { clipNorm: 0.05 }

const cases: Record<string, Case> = {
  'leaves the same weights on every rank, also when some have no rows': {
    async holds(bench) {
      await bench.with({}, async (crew) => {
        await bench.train(crew, 3)
        const [first, ...others] = await crew.readState()
        others.forEach((state, i) => {
          assertEqual(state.parameters, first!.parameters, `weights of rank ${i + 1} and rank 0`)
        })
      })
    },
  },

  'gives the weights of one worker after 100 steps': {
    needs: 'exact',
    async holds(bench) {
      const alone = await bench.alone({}, 25)
      await bench.with({}, async (crew) => {
        await bench.train(crew, 25)
        assertClose((await crew.readState())[0]!, alone)
      })
    },
  },

  'clips by the norm of the whole gradient': {
    needs: 'exact',
    async holds(bench) {
      const alone = await bench.alone(CLIP, 5)
      await bench.with(CLIP, async (crew) => {
        await bench.train(crew, 5)
        assertClose((await crew.readState())[0]!, alone)
      })
    },
  },

  'clips to the same bits on any number of workers when deterministic': {
    needs: 'exact',
    async holds(bench) {
      const options = { ...CLIP, logicalShards: 4 }
      // Weights are rounded to float32, which hides most of what the norm may be off.
      const norms = async (crew: MemberCrew) => (await bench.train(crew, 5))[0]!.map(({ gradientNorm }) => gradientNorm)
      const alone = await bench.single(options, norms)
      const together = await bench.with(options, norms)
      const wrong = alone.findIndex((norm, i) => norm !== together[i])
      if (wrong >= 0) fail(`the norm in record ${wrong}`, alone[wrong], together[wrong])
    },
  },

  'adds up gradients of several batches to one update': {
    needs: 'exact',
    async holds(bench) {
      const alone = await bench.alone({}, 5, 2)
      await bench.with({}, async (crew) => {
        await bench.train(crew, 5, 2)
        assertClose((await crew.readState())[0]!, alone)
      })
    },
  },

  'counts every row once in its records, on every rank alike': {
    async holds(bench) {
      await bench.with({}, async (crew) => {
        const [first, ...others] = await bench.train(crew, 2)
        for (const [i, { weight, loss, step }] of first!.entries()) {
          const rows = Math.min(BATCH, ROWS - (i % STEPS) * BATCH)
          if (weight !== rows || step !== i + 1 || !Number.isFinite(loss))
            fail(`record ${i}`, { step: i + 1, weight: rows }, { step, weight, loss })
        }
        for (const records of others)
          for (const [i, { weight, loss }] of records.entries())
            if (weight !== first![i]!.weight || loss !== first![i]!.loss) fail(`record ${i}`, first![i], records[i])
      })
    },
  },

  learns: {
    async holds(bench) {
      await bench.with({}, async (crew) => {
        const [records] = await bench.train(crew, 12)
        const [before, after] = [meanLoss(records!.slice(0, STEPS)), meanLoss(records!.slice(-STEPS))]
        if (!(after < 0.8 * before)) fail('the loss of the last epoch', `below 80 % of ${before}`, after)
      })
    },
  },

  'goes on from a checkpoint as if it had never stopped': {
    needs: 'repeatable',
    async holds(bench) {
      let saved: TrainingState | undefined
      const undisturbed = await bench.with({}, async (crew) => {
        await bench.train(crew, 3)
        saved = throughFile((await crew.readState())[0]!)
        await bench.train(crew, 3)
        return (await crew.readState())[0]!
      })
      const resumed = await bench.with({}, async (crew) => {
        await crew.writeState(saved!)
        await bench.train(crew, 3, 1, saved!.step)
        return (await crew.readState())[0]!
      })
      assertEqual(resumed.parameters, undisturbed.parameters, 'weights')
      for (const slot of Object.keys(undisturbed.slots))
        assertEqual(resumed.slots[slot]!, undisturbed.slots[slot]!, `slot ${slot}`)
      assertEqual(resumed.strategy ?? {}, undisturbed.strategy ?? {}, 'state of the strategy')
    },
  },

  'goes on from the checkpoint of two workers': {
    async holds(bench) {
      const two = bench.of(2)
      const { saved, before } = await two.with({}, async (crew) => {
        const [records] = await two.train(crew, 3)
        return { saved: throughFile((await crew.readState())[0]!), before: meanLoss(records!.slice(0, STEPS)) }
      })
      await bench.with({}, async (crew) => {
        await crew.writeState(saved)
        const [records] = await bench.train(crew, 9, 1, saved.step)
        const after = meanLoss(records!.slice(-STEPS))
        if (!(after < 0.8 * before)) fail('the loss after the change', `below 80 % of ${before}`, after)
      })
    },
  },

  'tells what it sends and holds': {
    async holds(bench) {
      await bench.with({}, async (crew) => {
        await bench.train(crew, 1)
        const usage = await crew.usage()
        if (usage.length !== bench.workers) fail('reports', bench.workers, usage.length)
        for (const { sentBytes, memory } of usage) {
          if (sentBytes > 0 !== bench.workers > 1) fail('bytes sent', bench.workers > 1 ? 'some' : 'none', sentBytes)
          if (!(memory.weights > 0 && memory.gradients > 0)) fail('memory', 'bytes of weights and gradients', memory)
        }
      })
    },
  },
}

const ROWS = 100
/** The last batch of an epoch has a single row. */
const BATCH = 33
const STEPS = 4
const FEATURES = 12
const CLASSES = 3

/** A small task, and crews that train on it. */
class Bench {
  readonly #subject: Pick<StrategySubject, 'create' | 'setup'>
  readonly #optimizer: OptimizerDescription
  readonly #columns: SharedColumns
  readonly #topology: string
  readonly #weights: Record<string, Float32Array>
  readonly workers: number

  constructor(subject: Pick<StrategySubject, 'create' | 'setup'>, workers: number, optimizer: OptimizerDescription) {
    this.#subject = subject
    this.workers = workers
    this.#optimizer = optimizer
    const random = new Random(5)
    const y = Int32Array.from({ length: ROWS }, (_, row) => row % CLASSES)
    const x = Float32Array.from(
      { length: ROWS * FEATURES },
      (_, i) => random.normal() + (i % CLASSES === y[Math.floor(i / FEATURES)] ? 1 : 0),
    )
    this.#columns = { x: { data: x, shape: [ROWS, FEATURES] }, y: { data: y, shape: [ROWS] } }
    const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: 3 })
    const model = tfl.sequential({
      layers: [
        tfl.layers.dense({
          units: 14,
          activation: 'relu',
          inputShape: [FEATURES],
          kernelInitializer: kernelInitializer(),
        }),
        tfl.layers.dense({ units: CLASSES, activation: 'softmax', kernelInitializer: kernelInitializer() }),
      ],
    })
    this.#topology = serializeTopology(model)
    this.#weights = Object.fromEntries(
      namedWeights(model).map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
    )
    model.dispose()
  }

  /** The same task for another number of workers. */
  of(workers: number): Bench {
    return new Bench(this.#subject, workers, this.#optimizer)
  }

  /** Runs something with a new crew. */
  async with<T>(options: Partial<TrainingJob>, run: (crew: MemberCrew) => Promise<T>): Promise<T> {
    const { workers } = this
    const { create, setup = {} } = this.#subject
    return this.#run(await this.#start(options, { description: create(workers).description, workers, setup }), run)
  }

  /** The state of a single worker after some epochs. */
  async alone(options: Partial<TrainingJob>, epochs: number, accumulateSteps = 1): Promise<TrainingState> {
    return this.single(options, async (crew) => {
      await this.train(crew, epochs, accumulateSteps)
      return (await crew.readState())[0]!
    })
  }

  /** Runs something with a single worker that has no peers. */
  async single<T>(options: Partial<TrainingJob>, run: (crew: MemberCrew) => Promise<T>): Promise<T> {
    return this.#run(await this.#start(options), run)
  }

  /** Trains so many epochs. @returns The records of each rank. */
  async train(crew: MemberCrew, epochs: number, accumulateSteps = 1, stepsBefore?: number): Promise<StepRecord[][]> {
    const stepsPerEpoch = Math.ceil(STEPS / accumulateSteps)
    const first = stepsBefore ?? this.#steps.get(crew) ?? 0
    const all: StepRecord[][] = Array.from({ length: this.workers }, () => [])
    for (let epoch = 0; epoch < epochs; epoch++) {
      const firstStep = first + epoch * stepsPerEpoch + 1
      const order = new Random(7, firstStep).permutation(ROWS)
      const range = { data: 'train', order, from: 0, to: ROWS, batchSize: BATCH, accumulateSteps, firstStep }
      for (const [rank, records] of (await crew.train(range)).entries()) all[rank]!.push(...records)
    }
    this.#steps.set(crew, first + epochs * stepsPerEpoch)
    return all
  }

  readonly #steps = new WeakMap<MemberCrew, number>()

  async #start(options: Partial<TrainingJob>, group?: Parameters<typeof MemberCrew.start>[2]): Promise<MemberCrew> {
    const { name } = await selectBackend()
    const job = {
      model: { topology: this.#topology },
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
      optimizer: this.#optimizer,
      engine: 'auto' as const,
      seed: 1,
      backend: name,
      columns: { features: 'x', target: 'y' },
      ...options,
    }
    return MemberCrew.start({ ...job, model: { topology: this.#topology } }, this.#weights, group)
  }

  async #run<T>(crew: MemberCrew, run: (crew: MemberCrew) => Promise<T>): Promise<T> {
    try {
      await crew.setData('train', this.#columns)
      return await run(crew)
    } finally {
      await crew.close()
    }
  }
}

/** A state as it comes back from a checkpoint. */
function throughFile(state: TrainingState): TrainingState {
  const position = {
    epoch: 0,
    stepInEpoch: 0,
    rowsPerStep: 1,
    sums: { loss: 0, weight: 0, metrics: [] },
    epochs: [],
    seed: 1,
  }
  return decodeCheckpoint(encodeCheckpoint({ state, position })).state
}

const meanLoss = (records: readonly StepRecord[]): number =>
  records.reduce((sum, { loss }) => sum + loss, 0) / records.reduce((sum, { weight }) => sum + weight, 0)

function assertEqual(actual: Record<string, Float32Array>, expected: Record<string, Float32Array>, what: string): void {
  for (const name of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
    const [a, b] = [actual[name], expected[name]]
    const index = a && b ? a.findIndex((value, i) => !Object.is(value, b[i])) : 0
    if (a?.length !== b?.length || index >= 0) fail(`${what}: ${name}[${index}]`, b?.[index], a?.[index])
  }
}

function assertClose(actual: TrainingState, expected: TrainingState): void {
  for (const [name, values] of Object.entries(expected.parameters)) {
    const others = actual.parameters[name]!
    const error = Math.hypot(...values.map((value, i) => value - others[i]!)) / (Math.hypot(...values) || 1)
    if (!(error < TOLERANCE)) fail(`the difference of ${name}`, `below ${TOLERANCE}`, error)
  }
}

function fail(what: string, expected: unknown, received: unknown): never {
  throw new WorkerError(`The strategy does not hold its contract: ${what} is wrong.`, {
    expected: JSON.stringify(expected),
    received: JSON.stringify(received),
  })
}
