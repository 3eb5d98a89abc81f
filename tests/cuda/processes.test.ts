/** Processes that train on a GPU each, on the stand-in for NVIDIA's libraries. */

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { type Outcome, type Rank, runGroup, startGroup, trainScript, weightsOf } from '../fixtures/run-group.js'
import { useStandIn } from './stand-in.js'

process.env.STAND_IN_DEVICES = '3'
const isReal = Boolean(process.env.DCML_TEST_GPU)
if (isReal) console.log('Skipped: processes on cuda. They lose NCCL and each other on the stand-in alone.')
const isThere = !isReal && useStandIn('processes')

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'dcml-gpus-'))

const local = (rank: number) => ({ LOCAL_RANK: `${rank}`, LOCAL_WORLD_SIZE: '2' })
const both = [local(0), local(1)]

const difference = (a: Float32Array, b: Float32Array) =>
  Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.hypot(...b)

describe.runIf(isThere)('processes on cuda', () => {
  afterAll(() => rmSync(folder, { recursive: true }))

  // While a process compiles for the stand-in, which takes seconds where others compute too, it says nothing.
  const patient = Object.fromEntries([0, 1, 2].map((rank) => [rank, { silenceMs: 30_000 }]))
  const orders = { backend: 'cuda', epochs: 2, tcp: patient }
  const steps = 20

  it('that dcml launch started take a GPU each, and end in the weights of one', async () => {
    const [alone] = await runGroup(1, orders)
    expect(alone!.collectives).toBe(0)
    const results = join(folder, 'results')
    mkdirSync(results)
    const given = JSON.stringify({ ...orders, folder: results })
    await promisify(execFile)(process.execPath, [cli, 'launch', '-n', '2', trainScript, given])
    const outcomes = readdirSync(results).map(
      (file) => JSON.parse(readFileSync(join(results, file), 'utf8')) as Outcome & { rank: number },
    )
    expect(outcomes.length).toBe(2)
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ warnings: [], collectives: steps })
      expect(outcome.device).toContain(`number ${outcome.rank} of 3`)
      expect(difference(weightsOf(outcome), weightsOf(alone!))).toBeLessThan(1e-5)
    }
    expect(weightsOf(outcomes[0]!)).toEqual(weightsOf(outcomes[1]!))
  })

  it('that share a GPU, or miss NCCL, say so once and go through the host', async () => {
    const without = join(folder, 'without')
    mkdirSync(without)
    const libraries = process.env.DCML_CUDA_LIBRARIES!
    for (const name of readdirSync(libraries).filter((file) => !file.includes('nccl')))
      symlinkSync(join(libraries, name), join(without, name))
    const shared = { DCML_CUDA_DEVICE: '1' }
    const missing = { DCML_CUDA_LIBRARIES: without }
    const cases = [
      { places: [shared, shared], warning: /host.*Ranks 0 and 1 share a GPU/ },
      { places: [{ ...both[0]!, ...missing }, both[1]!], warning: /NCCL was not found.*pip install nvidia-nccl-cu13/ },
    ]
    for (const { places, warning } of cases) {
      const [first, second] = await runGroup(2, orders, places)
      expect(first).toMatchObject({ warnings: [expect.stringMatching(warning)], collectives: 0 })
      expect(second).toMatchObject({ warnings: [], collectives: 0 })
      expect(weightsOf(first!)).toEqual(weightsOf(second!))
    }
  })

  it.each<[NodeJS.Signals, object]>([
    // Told by silence alone, and after steps: all is compiled by then.
    ['SIGSTOP', { tcp: {} }],
    ['SIGKILL', { bucketBytes: 8192 }],
  ])('of which one gets %s end with an error that names it: %j', async (signal, more) => {
    const { ranks } = await startGroup(2, { ...orders, ...more, epochs: 1000, tells: true }, both)
    const [first, second] = ranks
    await step(first!, 15)
    second!.process.kill(signal)
    const { error, exitCode } = await first!.outcome
    second!.process.kill('SIGKILL')
    expect(exitCode).toBe(1)
    expect(error).toMatchObject({ code: 'DCML_WORKER', message: expect.stringMatching(/\b(Rank|Worker) 1\b/) })
  })

  it('that lose one go on with the GPUs of the others, where they may', async () => {
    const elastic = { min: 2, commitEverySteps: 5 }
    const places = [0, 1, 2].map((rank) => ({ LOCAL_RANK: `${rank}`, LOCAL_WORLD_SIZE: '3' }))
    const { ranks } = await startGroup(3, { ...orders, elastic, epochs: 6, tells: true }, places)
    await step(ranks[0]!, 15)
    ranks[2]!.process.kill('SIGKILL')
    const [first, second] = await Promise.all(ranks.map(({ outcome }) => outcome))
    expect(weightsOf(first!)).toEqual(weightsOf(second!))
    for (const { warnings, collectives } of [first!, second!]) {
      expect(warnings).toEqual([])
      expect(collectives).toBeGreaterThanOrEqual(60)
    }
  })
})

/** Until a process has told of a step. */
async function step({ process }: Rank, number: number): Promise<void> {
  for await (const line of createInterface({ input: process.stdout! })) if (line === `step ${number}`) return
}
