/** Worker threads that train on a GPU each. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DataParallel, type DistributedStrategy, SingleWorker, selectBackend } from 'dcml'
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

  beforeAll(async () => {
    if (isStandIn) {
      const library = koffi.load(join(process.env.DCML_CUDA_LIBRARIES!, 'libnccl.so.2'))
      operations = library.func('int standInOperations(void)')
    }
    alone = await trainWith(new SingleWorker())
  })

  it.each([2, 3].filter((workers) => workers <= count))(
    '%i of them end in the weights of one worker, with sums from GPU to GPU',
    async (workers) => {
      const before = operations?.()
      const { weights } = await trainWith(new DataParallel({ workers }))
      expect(difference(weights, alone.weights)).toBeLessThan(1e-5)
      // One for each of 20 steps.
      if (operations) expect(operations() - before!).toBe(workers * 20)
    },
  )

  it.each(['DataParallel in buckets', 'ZeRO 1', 'LocalSGD'])('come to the same through the host: %s', async (name) => {
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

  it('are as many as there are GPUs, unless told otherwise', async () => {
    const strategy = new DataParallel()
    await trainWith(strategy)
    expect(strategy.group.size).toBe(count)
  })

  it('are no more than there are GPUs', async () => {
    await expect(trainWith(new DataParallel({ workers: count + 1 }))).rejects.toThrow(
      new RegExp(`Worker ${count} failed.*no GPU for worker ${count}.*at most ${count}.*DCML_CUDA_DEVICE`),
    )
  })
})
