/** Every strategy over processes ends as on one machine, under each launcher. */

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type DistributedStrategy, SingleWorker, selectBackend, sharedMemory } from 'dcml'
import { beforeAll, describe, expect, it } from 'vitest'
import { launchers as mpiLaunchers } from '../mpi/mpi-job.js'

interface Result {
  weights: number[][]
  losses: number[]
}

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const { strategies, trainWith } = (await import(path('../fixtures/strategy-table.mjs'))) as {
  strategies: Record<string, { create(group: object): DistributedStrategy; like?: 'one' | 'threads' }>
  trainWith(strategy: DistributedStrategy): Promise<Result>
}

const launchers = [
  {
    name: 'dcml launch',
    missing: undefined,
    command: process.execPath,
    options: [path('../../dist/cli.js'), 'launch'],
  },
  ...mpiLaunchers,
]

/** What each rank came to, by strategy. */
async function trainRanks({ command, options, name }: (typeof launchers)[number], worldSize: number) {
  const folder = mkdtempSync(join(tmpdir(), 'dcml-strategies-'))
  const over = name === 'dcml launch' ? 'tcp' : 'mpi'
  const script = [path('../fixtures/strategies-rank.mjs'), folder, over]
  const program = over === 'mpi' ? [process.execPath, ...script] : script
  try {
    await promisify(execFile)(command, [...options, '-n', String(worldSize), ...program])
    return readdirSync(folder).map(
      (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, Result & { rank: number }>,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Norm of the difference over the norm, of the tensor that differs most. */
const difference = (a: number[][], b: number[][]) =>
  Math.max(...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / Math.hypot(...b[i]!)))

const WORKERS = 3
const expected: Record<string, number[][]> = {}

beforeAll(async () => {
  await selectBackend()
  const alone = await trainWith(new SingleWorker())
  const transport = sharedMemory({ native: false })
  for (const [name, { create, like }] of Object.entries(strategies))
    if (like)
      expected[name] = (like === 'one' ? alone : await trainWith(create({ workers: WORKERS, transport }))).weights
})

describe.each(launchers)('strategies over processes of $name', (launcher) => {
  it.skipIf(launcher.missing)(
    'end in the weights of one worker, or of threads, or learn where no two runs are alike',
    async () => {
      const ranks = await trainRanks(launcher, WORKERS)
      expect(ranks.map(({ DataParallel }) => DataParallel!.rank).sort()).toEqual([0, 1, 2])
      for (const name of Object.keys(strategies)) {
        const [first] = ranks
        for (const { [name]: result } of ranks) {
          expect(result!.weights, name).toEqual(first![name]!.weights)
          const weights = expected[name]
          if (weights) expect(difference(result!.weights, weights), name).toBeLessThan(1e-5)
          else expect(result!.losses.at(-1), name).toBeLessThan(0.8 * result!.losses[0]!)
        }
      }
    },
  )
})
