import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  DataParallel,
  Dataset,
  datasets,
  gain,
  memoryTransports,
  Preprocessor,
  SingleWorker,
  selectBackend,
  sgd,
  sharedMemory,
  type ThreadTransportFactory,
  Trainer,
  type TrainerOptions,
  type TransportFactory,
  timeShift,
} from 'dcml'
import { listAssists } from 'dcml/node'
import { beforeAll, describe, expect, it } from 'vitest'

const { broadcast } = (await import(new URL('../fixtures/broadcast-transport.mjs', import.meta.url).href)) as {
  broadcast(): ThreadTransportFactory
}

const [blas] = await listAssists()
if (!blas!.available) console.log(`Skipped: workers with a BLAS. ${blas!.reason}`)

beforeAll(async () => {
  await selectBackend()
})

async function digits(count: number): Promise<Dataset> {
  const { x, y } = await datasets.syntheticDigits({ count, seed: 5 }).columns()
  const pixels = Float32Array.from(x!.data as Uint8Array, (pixel) => pixel / 255)
  return Dataset.fromArrays({ x: { data: pixels, shape: [count, 784] }, y: y! })
}

function classifier(): tfl.LayersModel {
  const initializer = () => tfl.initializers.glorotUniform({ seed: 11 })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 24, activation: 'relu', inputShape: [784], kernelInitializer: initializer() }),
      tfl.layers.dropout({ rate: 0.25 }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer() }),
    ],
  })
}

/** Trains 100 steps; 33 rows, or the 28 of a last batch, split unevenly over three workers and over the like. */
async function train(workers: number, options: Partial<TrainerOptions> = {}): Promise<number[][]> {
  const model = classifier()
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: sgd({ learningRate: 0.1 }),
    strategy: workers === 1 ? new SingleWorker() : new DataParallel({ workers }),
    seed: 3,
    ...options,
  } as TrainerOptions)
  await trainer.fit(await digits(325), { epochs: 10, batchSize: 33 })
  await trainer.close()
  return model.getWeights().map((weight) => Array.from(weight.dataSync()))
}

function difference(a: number[][], b: number[][]): number {
  return Math.max(
    ...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / (Math.hypot(...b[i]!) || 1)),
  )
}

describe('DataParallel', () => {
  for (const [name, optimizer] of [
    ['SGD', sgd({ learningRate: 0.1 })],
    ['Adam', adam({ learningRate: 1e-3 })],
  ] as const)
    it(`agrees with one worker after 100 steps of ${name}, and with itself to the bit`, async () => {
      const alone = await train(1, { optimizer })
      const two = await train(2, { optimizer })
      expect(difference(two, alone)).toBeLessThan(1e-5)
      for (const workers of [3, 4]) expect(difference(await train(workers, { optimizer }), alone)).toBeLessThan(1e-5)
      expect(await train(2, { optimizer })).toEqual(two)
    })

  describe.skipIf(!blas!.available).each([
    ['one memory', sharedMemory],
    ['a memory each', () => sharedMemory({ native: false })],
  ])('with a BLAS on %s', (_name, transport) => {
    it('agrees with one worker that has none, and says which helped', async () => {
      const names: (string | undefined)[] = []
      const two = await train(2, {
        assist: 'blas',
        strategy: new DataParallel({ workers: 2, transport: transport() }),
        callbacks: [{ onFitEnd: ({ history }) => void names.push(history.assist) }],
      })
      expect(difference(two, await train(1))).toBeLessThan(1e-5)
      expect(names).toEqual([blas!.library])
    })
  })

  it('brings the weights back from a single worker thread', async () => {
    expect(await train(1, { strategy: new DataParallel({ workers: 1 }) })).toEqual(await train(1))
  })

  it('gives the same bits on 1 to 8 workers when deterministic', async () => {
    const deterministic = { logicalShards: 8 }
    const alone = await train(1, { deterministic })
    for (const workers of [2, 3, 4, 8]) expect(await train(workers, { deterministic })).toEqual(alone)
  })

  describe.each([
    ['messages through shared memory', () => sharedMemory({ native: false })],
    ["a transport of the user's own", () => broadcast()],
  ])('over %s', (_name, transport) => {
    it.each([2, 3])('agrees on %i workers with the native collectives', async (workers) => {
      const messages = await train(workers, { strategy: new DataParallel({ workers, transport: transport() }) })
      expect(difference(messages, await train(workers))).toBeLessThan(1e-5)
    })

    it('gives the same bits as one worker when deterministic', async () => {
      const deterministic = { logicalShards: 4 }
      const strategy = new DataParallel({ workers: 3, transport: transport() })
      expect(await train(3, { deterministic, strategy })).toEqual(await train(1, { deterministic }))
    })

    it('names the worker that throws, and why', async () => {
      const setup = new URL('../fixtures/setup.mjs', import.meta.url)
      const strategy = new DataParallel({ workers: 2, transport: transport() })
      const trainer = new Trainer({ model: classifier(), step: 'failsAtStepThree', setup, strategy })
      await expect(trainer.fit(await digits(200))).rejects.toMatchObject({
        code: 'DCML_WORKER',
        message: expect.stringMatching(/^Worker \d failed: the third step is cursed/),
      })
    })
  })

  it('gives the same bits on 1 to 3 workers when rows are changed at random', async () => {
    const options = () => ({
      deterministic: { logicalShards: 4 },
      preprocessor: new Preprocessor([gain('x'), timeShift('x', { most: 50 })]),
    })
    const alone = await train(1, options())
    for (const workers of [2, 3]) expect(await train(workers, options())).toEqual(alone)
    expect(await train(1, { deterministic: { logicalShards: 4 } })).not.toEqual(alone)
  })

  it.each([2, 3])('gives the same bits on %i workers when steps are taken one by one', async (workers) => {
    const optimizer = adam({ learningRate: 1e-3 })
    // A norm that no gradient reaches changes nothing, but it is computed in JavaScript.
    expect(await train(workers, { optimizer, clipNorm: 1e30 })).toEqual(await train(workers, { optimizer }))
  })

  it('adds up the gradients in buckets to the same bits', async () => {
    // 19,094 parameters: the last piece is shorter.
    const transport = () => sharedMemory({ native: false })
    const strategy = new DataParallel({ workers: 2, transport: transport(), bucketBytes: 10_000 })
    const whole = new DataParallel({ workers: 2, transport: transport() })
    expect(await train(2, { strategy })).toEqual(await train(2, { strategy: whole }))
  })

  it('refuses what cannot connect its threads', () => {
    const ends = memoryTransports(2) as unknown as TransportFactory
    expect(() => new DataParallel({ transport: ends })).toThrow(/memoryTransports.*cannot leave their thread/)
    const { module: _module, ...withoutModule } = broadcast()
    expect(() => new DataParallel({ transport: withoutModule })).toThrow(/'module'/)
    expect(() => new DataParallel({ bucketBytes: 2 })).toThrow(/bucketBytes/)
  })

  it('brings custom layers to the workers', async () => {
    const setup = new URL('../fixtures/setup.mjs', import.meta.url)
    const { doubled } = (await import(setup.href)) as { doubled(): tfl.layers.Layer }
    const model = tfl.sequential({
      layers: [tfl.layers.dense({ units: 10, inputShape: [784] }), doubled(), tfl.layers.softmax()],
    })
    const options = { model, setup, strategy: new DataParallel({ workers: 2 }) }
    const trainer = new Trainer({ ...options, loss: 'sparseCategoricalCrossentropy' })
    const history = await trainer.fit(await digits(200), { epochs: 3 })
    expect(history.epochs[2]!.loss).toBeLessThan(history.epochs[0]!.loss)
  })

  it('evaluates every row once, whatever the split', async () => {
    const model = classifier()
    const data = await digits(101)
    const common = { model, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] }
    const alone = await new Trainer(common).evaluate(data)
    const split = await new Trainer({ ...common, strategy: new DataParallel({ workers: 3 }) }).evaluate(data)
    expect(split.accuracy).toBeCloseTo(alone.accuracy!, 12)
    expect(split.loss).toBeCloseTo(alone.loss!, 5)
  })

  it('names the worker that throws, and why', async () => {
    const setup = new URL('../fixtures/setup.mjs', import.meta.url)
    const strategy = new DataParallel({ workers: 2 })
    const trainer = new Trainer({ model: classifier(), step: 'failsAtStepThree', setup, strategy })
    await expect(trainer.fit(await digits(200))).rejects.toMatchObject({
      code: 'DCML_WORKER',
      message: expect.stringMatching(/^Worker \d failed: the third step is cursed/),
      cause: expect.objectContaining({ message: 'the third step is cursed' }),
    })
  })

  it('ends when a worker dies', async () => {
    const setup = new URL('../fixtures/setup.mjs', import.meta.url)
    const strategy = new DataParallel({ workers: 2 })
    const trainer = new Trainer({ model: classifier(), step: 'endsTheThread', setup, strategy })
    await expect(trainer.fit(await digits(64))).rejects.toMatchObject({ code: 'DCML_WORKER' })
  })

  it('refuses an optimizer of tfjs', async () => {
    const optimizer = tf.train.adam(1e-3)
    const trainer = new Trainer({
      model: classifier(),
      loss: 'sparseCategoricalCrossentropy',
      optimizer,
      strategy: new DataParallel({ workers: 2 }),
    })
    await expect(trainer.fit(await digits(64))).rejects.toMatchObject({
      code: 'DCML_CONFIG',
      message: expect.stringContaining("dcml's own, such as adam()"),
    })
  })

  it('refuses a function that cannot reach other threads', async () => {
    const loss = (truth: tf.Tensor, output: tf.Tensor) => tf.sum(tf.sub(truth, output), -1)
    const strategy = new DataParallel({ workers: 2 })
    for (const options of [
      { model: classifier(), loss },
      { model: classifier, loss: 'sparseCategoricalCrossentropy' },
    ])
      await expect(new Trainer({ ...options, strategy }).fit(await digits(64))).rejects.toMatchObject({
        code: 'DCML_CONFIG',
        message: expect.stringContaining('Export it'),
      })
  })
})
