/** A training under mpirun ends as the same training on one machine does. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataParallel, selectBackend, type TrainerOptions } from 'dcml'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Launcher, launchers, runJob } from './mpi-job.js'

const { trainDigits } = (await import(new URL('../fixtures/train-digits.mjs', import.meta.url).href)) as {
  trainDigits(options: Partial<TrainerOptions>): Promise<number[][]>
}

beforeAll(async () => {
  await selectBackend()
})

/** The weights of every rank. */
async function trainRanks(launcher: Launcher, worldSize: number, options = '{}'): Promise<number[][][]> {
  const folder = mkdtempSync(join(tmpdir(), 'dcml-mpi-'))
  // Lines as long as these get mixed on the way through mpirun.
  const module = `
    import { writeFileSync } from 'node:fs'
    import { DataParallel, selectBackend } from 'dcml'
    import { mpi } from 'dcml/node'
    import { trainDigits } from './tests/fixtures/train-digits.mjs'
    await selectBackend()
    const strategy = new DataParallel({ transport: mpi() })
    writeFileSync('${folder}/' + process.pid, JSON.stringify(await trainDigits({ strategy, ...${options} })))
  `
  const { code, output } = await runJob(module, { launcher, worldSize })
  expect(code, output).toBe(0)
  const weights = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
  rmSync(folder, { recursive: true })
  return weights
}

/** Norm of the difference over the norm, of the tensor that differs most. */
function difference(a: number[][], b: number[][]): number {
  return Math.max(
    ...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / Math.hypot(...b[i]!)),
  )
}

describe.each(launchers)('a training under $name', (launcher) => {
  it.skipIf(launcher.missing).each([1, 2, 3, 4])(
    'ends in the weights of one worker, on %i ranks',
    async (worldSize) => {
      const alone = await trainDigits({})
      const ranks = await trainRanks(launcher, worldSize)
      expect(ranks).toHaveLength(worldSize)
      for (const weights of ranks) expect(difference(weights, alone)).toBeLessThan(1e-5)
      for (const weights of ranks) expect(weights).toEqual(ranks[0])
    },
  )

  it.skipIf(launcher.missing)('ends in the bits of shared memory when it is deterministic', async () => {
    const deterministic = { logicalShards: 8 }
    const strategy = new DataParallel({ workers: 2 })
    const threads = await trainDigits({ strategy, deterministic })
    for (const worldSize of [1, 2, 4])
      for (const weights of await trainRanks(launcher, worldSize, JSON.stringify({ deterministic })))
        expect(weights).toEqual(threads)
  })
})
