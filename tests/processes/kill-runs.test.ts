import { describe, expect, it } from 'vitest'
import { killRun, undisturbedRun } from '../fixtures/kill-run.js'

/** A sample of `tests/long/kill-runs.test.ts`: a kill, one that comes back, and rank 0. */
describe('random losses', () => {
  it.each([3, 17, 27])('leave no trace in the training, seed %i', async (seed) => {
    const undisturbed = await undisturbedRun()
    const { story, outcome } = await killRun(seed)
    expect(outcome.error, story).toBeUndefined()
    expect(undisturbed.losses, story).toMatchObject(outcome.losses!)
    expect(outcome.weights, story).toBe(undisturbed.weights)
  })
})
