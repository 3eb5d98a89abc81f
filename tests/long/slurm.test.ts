import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Outcome, runGroup, trainScript, weightsOf } from '../fixtures/run-group.js'
import { Slurm } from '../fixtures/slurm.js'
import { testFolder } from '../fixtures/test-folder.js'

const reason = Slurm.whyNot()
if (reason) console.log(`Skipped: ${reason}`)

const script = fileURLToPath(new URL('../../examples/launch/train.slurm', import.meta.url))

describe.skipIf(reason)('the batch script for Slurm', () => {
  let slurm: Slurm
  beforeAll(async () => {
    slurm = new Slurm()
    await slurm.start()
  })
  afterAll(() => slurm.stop())

  /** A folder with the script's train.mjs. */
  function folderOf(module: string): string {
    const folder = testFolder()
    writeFileSync(join(folder, 'train.mjs'), module)
    return folder
  }

  it('trains on two nodes, to the bits of one worker', async () => {
    const deterministic = { logicalShards: 4 }
    // Lines as long as these would come out in pieces of each other.
    const folder = folderOf(`
      import { writeFileSync } from 'node:fs'
      process.argv[2] = ${JSON.stringify(JSON.stringify({ deterministic }))}
      process.stdout.write = (text, done) => done(writeFileSync('rank' + process.env.SLURM_PROCID, text))
      await import(${JSON.stringify(trainScript)})
    `)
    // Two processes on each: the machine is one.
    expect(await slurm.run(script, { folder, options: ['--ntasks-per-node=2'] })).toBe(0)
    const outcomes = [0, 1, 2, 3].map(
      (rank) => JSON.parse(readFileSync(join(folder, `rank${rank}`), 'utf8')) as Outcome,
    )
    expect(outcomes.map(({ rank }) => rank)).toEqual([0, 1, 2, 3])
    const [undisturbed] = await runGroup(1, { deterministic })
    for (const outcome of outcomes) expect(weightsOf(outcome)).toEqual(weightsOf(undisturbed!))
  })

  it('ends with all ranks when one fails', async () => {
    const folder = folderOf(`
      if (process.env.SLURM_PROCID === '1') process.exit(7)
      setInterval(() => {}, 1000)
    `)
    expect(await slurm.run(script, { folder, options: ['--ntasks-per-node=2'] })).not.toBe(0)
  })
})
