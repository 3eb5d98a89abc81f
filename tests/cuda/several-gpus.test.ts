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
const { trainWith } = (await import(table)) as { trainWith(strategy: DistributedStrategy): Promise<Result> }

process.env.STAND_IN_DEVICES = '3'
const isThere = useStandIn('worker threads')

/** Norm of the difference over the norm, of the tensor that differs most. */
const difference = (a: number[][], b: number[][]) =>
  Math.max(...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / Math.hypot(...b[i]!)))

describe.runIf(isThere)('worker threads on cuda', () => {
  let alone: Result
  /** Collectives that the stand-in has done, counted once for each worker. */
  let operations: () => number

  beforeAll(async () => {
    expect((await selectBackend({ prefer: ['cuda'] })).device).toContain('number 0 of 3')
    const library = koffi.load(join(process.env.DCML_CUDA_LIBRARIES!, 'libnccl.so.2'))
    operations = library.func('int standInOperations(void)')
    alone = await trainWith(new SingleWorker())
  })

  it.each([2, 3])('%i of them end in the weights of one worker, with sums from GPU to GPU', async (workers) => {
    const before = operations()
    const { weights } = await trainWith(new DataParallel({ workers }))
    expect(difference(weights, alone.weights)).toBeLessThan(1e-5)
    // One for each of 20 steps.
    expect(operations() - before).toBe(workers * 20)
  })

  it('are as many as there are GPUs, unless told otherwise', async () => {
    const strategy = new DataParallel()
    await trainWith(strategy)
    expect(strategy.group.size).toBe(3)
  })

  it('are no more than there are GPUs', async () => {
    await expect(trainWith(new DataParallel({ workers: 4 }))).rejects.toThrow(
      /Worker 3 failed.*no GPU for worker 3.*at most 3.*DCML_CUDA_DEVICE/,
    )
  })
})
