/** Worker threads that train on a GPU each. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as tfl from '@tensorflow/tfjs-layers'
import {
  DataParallel,
  Dataset,
  type DistributedStrategy,
  planTraining,
  SingleWorker,
  selectBackend,
  Trainer,
} from 'dcml'
import koffi from 'koffi'
import { beforeAll, describe, expect, it } from 'vitest'
import { useStandIn } from './stand-in.js'

interface Result {
  weights: number[][]
  losses: number[]
}

const table = fileURLToPath(new URL('../fixtures/strategy-table.mjs', import.meta.url))
const { strategies, trainWith } = (await import(table)) as {
  strategies: Record<string, { create(group: object): DistributedStrategy }>
  trainWith(strategy: DistributedStrategy): Promise<Result>
}

process.env.STAND_IN_DEVICES = '3'
const isStandIn = !process.env.DCML_TEST_GPU
const report = useStandIn('worker threads') ? await selectBackend({ prefer: ['cuda'] }) : undefined
const count = Number(/number 0 of (\d+)/.exec(report?.device ?? '')?.[1] ?? 1)
const isThere = report !== undefined && count > 1
if (report && !isThere) console.log('Skipped: worker threads on several GPUs. This machine has one GPU.')

/** Norm of the difference over the norm, of the tensor that differs most. */
const difference = (a: number[][], b: number[][]) =>
  Math.max(...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / Math.hypot(...b[i]!)))

describe.runIf(isThere)('worker threads on cuda', () => {
  let alone: Result
  /** Collectives that the stand-in has done, counted once for each worker. */
  let operations: (() => number) | undefined
  /** What all threads hold of the stand-in: ranges of memory, contexts, streams and the like. */
  let held: () => number

  beforeAll(async () => {
    if (isStandIn) {
      const library = koffi.load(join(process.env.DCML_CUDA_LIBRARIES!, 'libnccl.so.2'))
      operations = library.func('int standInOperations(void)')
      const count = library.func('int standInCount(const char *what, void *count)')
      held = () => {
        const out = new Float64Array(1)
        count('held', out)
        return out[0]!
      }
    }
    alone = await trainWith(new SingleWorker())
  })

  it.each([...new Set([2, count])])(
    '%i of them end in the weights of one worker, with sums from GPU to GPU',
    async (workers) => {
      const before = operations?.()
      // As many as there are GPUs, unless told otherwise.
      const strategy = new DataParallel(workers === count ? {} : { workers })
      const { weights } = await trainWith(strategy)
      expect(strategy.group.size).toBe(workers)
      expect(difference(weights, alone.weights)).toBeLessThan(1e-5)
      // One for each of 20 steps.
      if (operations) expect(operations() - before!).toBe(workers * 20)
    },
  )

  it('end in the weights of one worker where they own a part of the update, over the transport', async () => {
    const { weights } = await trainWith(strategies['ZeRO 1']!.create({ workers: 2 }))
    expect(difference(weights, alone.weights)).toBeLessThan(1e-5)
  })

  it.each(['DataParallel in buckets', 'LocalSGD'])('come to the same through the host: %s', async (name) => {
    const train = () => trainWith(strategies[name]!.create({ workers: 2 }))
    const direct = await train()
    // Two that share a GPU.
    process.env.DCML_CUDA_DEVICE = '0'
    try {
      expect(difference((await train()).weights, direct.weights)).toBeLessThan(1e-6)
    } finally {
      delete process.env.DCML_CUDA_DEVICE
    }
  })

  it.runIf(isStandIn)('give back what they held of their GPUs, also when one fails', async () => {
    const setup = new URL('../fixtures/setup.mjs', import.meta.url)
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [1] })] })
    const data = Dataset.fromArrays({ x: { data: new Float32Array(40), shape: [40, 1] } })
    const train = (step: string) => {
      const trainer = new Trainer({ model, step, setup, strategy: new DataParallel({ workers: 2 }), engine: 'eager' })
      return trainer.fit(data, { batchSize: 10, epochs: 1 })
    }
    await train('meanOfSquares')
    const before = held()
    await train('meanOfSquares')
    expect(held()).toBe(before)
    await expect(train('failsInOneThread')).rejects.toMatchObject({
      code: 'DCML_WORKER',
      message: expect.stringMatching(/^Worker \d failed: the third step is cursed/),
    })
    expect(held()).toBe(before)
  })

  it('are not planned for', async () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [1] })] })
    await expect(planTraining({ model, batchSize: 8, workers: 2 })).rejects.toThrow(/does not know GPUs/)
  })

  it('are no more than there are GPUs', async () => {
    await expect(trainWith(new DataParallel({ workers: count + 1 }))).rejects.toThrow(
      new RegExp(`Worker ${count} failed.*no GPU for worker ${count}.*at most ${count}.*DCML_CUDA_DEVICE`),
    )
  })
})
