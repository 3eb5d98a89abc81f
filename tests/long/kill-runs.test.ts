import { describe, expect, it } from 'vitest'
import { killRun, undisturbedRun } from '../fixtures/kill-run.js'

/** How many, and the first seed: DCML_KILL_RUNS and DCML_KILL_SEED set others. */
const RUNS = Number(process.env.DCML_KILL_RUNS ?? 200)
const FIRST = Number(process.env.DCML_KILL_SEED ?? 1)

describe('random losses', () => {
  it(`leave no trace in ${RUNS} trainings`, async () => {
    const undisturbed = await undisturbedRun()
    for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
      const { story, outcome } = await killRun(seed)
      expect(outcome.error, story).toBeUndefined()
      expect(undisturbed.losses, story).toMatchObject(outcome.losses!)
      expect(outcome.weights, story).toBe(undisturbed.weights)
      console.log(`${JSON.stringify(outcome.history!.groups!.map(({ workers }) => workers))}: ${story}`)
    }
  })
})
