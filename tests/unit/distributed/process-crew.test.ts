import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { TransportError } from '../../../src/core/index.js'
import { Dataset, datasets } from '../../../src/data/index.js'
import { DataParallel, LocalSGD, ParameterServer } from '../../../src/distributed/index.js'
import { adam, sgd } from '../../../src/optimizers/index.js'
import { memory } from '../../../src/storage/index.js'
import {
  type Callback,
  checkpoint,
  type DistributedStrategy,
  earlyStopping,
  type FitOptions,
  type History,
  Trainer,
  type TrainerOptions,
} from '../../../src/training/index.js'
import {
  memoryTransports,
  type ProcessTransportFactory,
  type Transport,
  type TransportFactory,
} from '../../../src/transport/index.js'

beforeAll(async () => {
  await selectBackend()
})

/** One factory per rank, as each process has its own: all that join for the n-th time form a group. */
function factories(worldSize: number): ProcessTransportFactory[] {
  const groups: Transport[][] = []
  return Array.from({ length: worldSize }, (_, rank) => {
    let joined = 0
    return {
      name: 'memory',
      kind: 'processes' as const,
      async join() {
        const group = joined++
        groups[group] ??= memoryTransports(worldSize)
        return groups[group][rank]!
      },
    }
  })
}

function digits(count: number, seed = 3): Dataset {
  const columns = datasets.syntheticDigits({ count, seed }).resident!.columns
  const x = Float32Array.from(columns.x!.data as Uint8Array, (pixel) => pixel / 255)
  return Dataset.fromArrays({ x: { data: x, shape: [count, 784] }, y: columns.y! })
}

/** As every process makes it: with the same names. */
function classifier(seed?: number): tfl.LayersModel {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 7 })
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 16, activation: 'relu', inputShape: [784], kernelInitializer, name: 'hidden' }),
      tfl.layers.batchNormalization({ name: 'norm' }),
      tfl.layers.dropout({ rate: 0.2, name: 'dropout' }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer, name: 'output' }),
    ],
    name: 'classifier',
  })
  if (seed !== undefined)
    model.setWeights(model.getWeights().map(({ shape }, i) => tf.randomUniform(shape, 0, 1, 'float32', seed + i)))
  return model
}

const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()))

interface Run {
  model?: tfl.LayersModel
  strategy?: (transport: TransportFactory) => DistributedStrategy
  options?: Partial<TrainerOptions>
  fit?: FitOptions
  data?: Dataset
}

/** What each rank ends with, when all run the same script; `of` gives a rank what sets it apart. */
async function runRanks(worldSize: number, of: (rank: number) => Run = () => ({})) {
  return Promise.all(
    factories(worldSize).map(async (transport, rank) => {
      const {
        // Unequal weights, as without seeds.
        model = classifier(rank === 0 ? undefined : rank),
        strategy = (transport) => new DataParallel({ transport }),
        options,
        fit,
        data = digits(100),
      } = of(rank)
      const trainer = new Trainer({
        model,
        loss: 'sparseCategoricalCrossentropy',
        optimizer: adam({ learningRate: 1e-3 }),
        metrics: ['accuracy'],
        strategy: strategy(transport),
        ...options,
      } as TrainerOptions)
      const outcome = await trainer.fit(data, { epochs: 2, batchSize: 25, ...fit }).then(
        (history) => ({ history }),
        (error: Error) => ({ error }),
      )
      return { ...outcome, model, trainer } as {
        history?: History
        error?: Error
        model: tfl.LayersModel
        trainer: Trainer
      }
    }),
  )
}

const strategies: Record<string, NonNullable<Run['strategy']>> = {
  DataParallel: (transport) => new DataParallel({ transport }),
  LocalSGD: (transport) => new LocalSGD({ transport, everySteps: 2 }),
  ParameterServer: (transport) => new ParameterServer({ transport }),
}

describe('a crew of processes', () => {
  it('ends with the same weights and history in all, and those of its leader count', async () => {
    const ranks = await runRanks(3, () => ({ fit: { validation: digits(31, 4) } }))
    const [leader] = ranks
    expect(leader!.history!.epochs).toHaveLength(2)
    for (const { history, model } of ranks) {
      expect(history).toEqual(leader!.history)
      expect(weightsOf(model)).toEqual(weightsOf(leader!.model))
    }
  })

  it('goes on in a second fit, and evaluates every row once', async () => {
    const ranks = await runRanks(2)
    const again = await Promise.all(ranks.map(({ trainer }) => trainer.fit(digits(50), { batchSize: 25 })))
    expect(again[1]).toEqual(again[0])
    const values = await Promise.all(ranks.map(({ trainer }) => trainer.evaluate(digits(31, 4))))
    expect(values[1]).toEqual(values[0])
    const alone = new Trainer({ model: ranks[1]!.model, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
    const expected = await alone.evaluate(digits(31, 4))
    expect(values[0]!.accuracy).toBeCloseTo(expected.accuracy!, 6)
    expect(values[0]!.loss).toBeCloseTo(expected.loss!, 5)
  })

  it('runs callbacks, early stop and checkpoints on rank 0 alone', async () => {
    const calls: number[] = []
    const stores = [memory(), memory()]
    const ranks = await runRanks(2, (rank) => ({
      options: {
        callbacks: [
          { onEpochEnd: () => void calls.push(rank) },
          checkpoint({ store: stores[rank]! }),
          earlyStopping({ monitor: 'loss', patience: 1, minDelta: 100 }),
        ],
      },
      fit: { epochs: 9 },
    }))
    expect(new Set(calls)).toEqual(new Set([0]))
    expect(calls.length).toBeLessThan(9)
    expect(ranks[1]!.history!.stopReason).toMatch(/loss/)
    expect(ranks[1]!.history).toEqual(ranks[0]!.history)
    expect(await stores[0]!.list()).not.toEqual([])
    expect(await stores[1]!.list()).toEqual([])
  })

  it("resumes from the leader's checkpoint to the same bits", async () => {
    const whole = await runRanks(2, () => ({ fit: { epochs: 3 } }))
    const store = memory()
    await runRanks(2, (rank) => ({ options: { callbacks: rank === 0 ? [checkpoint({ store })] : [] } }))
    const resumed = await runRanks(2, (rank) => ({ fit: { epochs: 3, resumeFrom: rank === 0 ? store : memory() } }))
    for (const { model } of resumed) expect(weightsOf(model)).toEqual(weightsOf(whole[0]!.model))
  })

  it('stops all when the signal of rank 0 is aborted', async () => {
    const controller = new AbortController()
    const ranks = await runRanks(2, (rank) => ({
      options: { callbacks: [{ onStepEnd: ({ step }) => step === 3 && controller.abort() }] as Callback[] },
      fit: { epochs: 9, ...(rank === 0 ? { signal: controller.signal } : {}) },
    }))
    for (const { history } of ranks) expect(history!.stopReason).toBe('aborted')
  })

  it('gives all the rows of a stream that rank 0 reads', async () => {
    const columns = digits(60).resident!.columns
    const unread = Dataset.fromBatches(() => {
      throw new Error('only rank 0 reads')
    })
    const run = async (stream: boolean) =>
      weightsOf(
        (
          await runRanks(2, (rank) => ({
            data: !stream
              ? digits(60)
              : rank > 0
                ? unread
                : Dataset.fromBatches(async function* () {
                    yield columns
                  }),
            fit: { shuffle: false, batchSize: 20 },
          }))
        )[1]!.model,
      )
    expect(await run(true)).toEqual(await run(false))
  })

  it('names the ranks that hold other data, or train something else', async () => {
    const data = await runRanks(4, (rank) => ({ data: digits(100, rank === 1 || rank === 3 ? 9 : 3) }))
    for (const { error } of data) {
      expect(error).toMatchObject({ message: expect.stringMatching(/Rank 1, 3 and rank 0 .* data 'train'/) })
    }
    const jobs = await runRanks(2, (rank) => ({ options: { optimizer: rank === 0 ? sgd() : adam() } }))
    for (const { error } of jobs) expect(error).toMatchObject({ message: expect.stringMatching(/Rank 1 .* job/) })
  })

  it('throws the same NumericError everywhere', async () => {
    for (const { error } of await runRanks(3, () => ({ options: { optimizer: sgd({ learningRate: 1e30 }) } })))
      expect(error).toMatchObject({ code: 'DCML_NUMERIC' })
  })

  it.each(Object.entries(strategies))(
    'does so where one alone diverges, weights whole, with %s',
    async (_name, strategy) => {
      const ranks = await runRanks(3, (rank) => ({
        strategy,
        options: { engine: 'eager', loss: (_truth, output) => output.mean(-1).mul(rank === 1 ? Number.NaN : 1) },
      }))
      for (const { error, model } of ranks) {
        expect(error).toMatchObject({ code: 'DCML_NUMERIC', message: expect.stringContaining('step 1') })
        expect(weightsOf(model).flat().every(Number.isFinite)).toBe(true)
      }
    },
  )

  it('ends all when a callback throws, with its error as the cause', async () => {
    const [leader, ...others] = await runRanks(3, () => ({
      options: {
        callbacks: [
          {
            onStepEnd({ step }) {
              if (step === 2) throw new RangeError('no more')
            },
          },
        ],
      },
    }))
    expect(leader!.error).toBeInstanceOf(RangeError)
    for (const { error } of others)
      expect(error).toMatchObject({ code: 'DCML_WORKER', message: expect.stringMatching(/^Worker 0 failed: no more/) })
  })

  it('ends all when data cannot be loaded in one, and can train after that', async () => {
    const broken = Dataset.fromArrays({ z: { data: new Float32Array(4), shape: [4] } })
    const ranks = await runRanks(3, (rank) => (rank === 1 ? { data: broken } : {}))
    expect(ranks[1]!.error).toMatchObject({ code: 'DCML_DATA', message: expect.stringContaining("'x'") })
    for (const rank of [0, 2])
      expect(ranks[rank]!.error).toMatchObject({ message: expect.stringMatching(/^Worker 1 failed: .*'x'/) })
    const histories = await Promise.all(ranks.map(({ trainer }) => trainer.fit(digits(50))))
    expect(histories[2]).toEqual(histories[0])
  })

  it('ends all when one cannot make its replica', async () => {
    const frozen = classifier()
    frozen.trainable = false
    const ranks = await runRanks(3, (rank) => (rank === 1 ? { model: frozen } : {}))
    for (const { error } of ranks)
      expect(error).toMatchObject({
        code: 'DCML_WORKER',
        message: expect.stringMatching(/Worker 1 failed: .*trainable/),
      })
  })

  const endsAll = 'ends all when one throws within a step of %s, and can train after that'
  it.each(Object.entries(strategies))(endsAll, async (_name, strategy) => {
    let isFalling = true
    const ranks = await runRanks(3, (rank) => ({
      strategy,
      options: {
        engine: 'eager',
        loss: (_truth, output) => {
          if (rank === 2 && isFalling) throw new Error('the sky falls')
          return output.mean(-1)
        },
      },
    }))
    for (const { error } of ranks)
      expect(error).toMatchObject({ code: 'DCML_WORKER', message: expect.stringMatching(/Worker 2 failed: the sky/) })
    isFalling = false
    const histories = await Promise.all(ranks.map(({ trainer }) => trainer.fit(digits(50))))
    expect(histories[2]).toEqual(histories[0])
    expect(histories[0]!.workers).toHaveLength(3)
  })

  it('tries anew to form the group when the others did not come', async () => {
    const [transport] = factories(1)
    let isAlone = true
    const lonely: ProcessTransportFactory = {
      ...transport!,
      async join() {
        if (isAlone) throw new TransportError('Rank 1 did not come.')
        return transport!.join()
      },
    }
    const strategy = new DataParallel({ transport: lonely })
    const trainer = new Trainer({ model: classifier(), loss: 'sparseCategoricalCrossentropy', strategy })
    await expect(trainer.fit(digits(20))).rejects.toThrow('Rank 1 did not come.')
    isAlone = false
    expect((await trainer.fit(digits(20))).epochs).toHaveLength(1)
    await trainer.close()
  })

  it('refuses a number of workers that is not that of the processes', async () => {
    const [transport] = factories(1)
    const strategy = new DataParallel({ workers: 4, transport: transport! })
    const trainer = new Trainer({ model: classifier(), loss: 'sparseCategoricalCrossentropy', strategy })
    await expect(trainer.fit(digits(20))).rejects.toThrow(/workers contradicts.*Expected 1/)
    await trainer.close()
  })
})
