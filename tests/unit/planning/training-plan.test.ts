import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/index.js'
import { type StepCosts, TrainingPlan } from '../../../src/planning/index.js'

const costs: StepCosts = {
  fixedMs: 1,
  rowMs: 0.5,
  cores: 4,
  contention: 1.3,
  weightBytes: 4_000_000,
  gradientBytes: 4_000_008,
  slotBytes: 8_000_000,
  fixedTensorBytes: 1000,
  rowTensorBytes: 500,
}
const link = { latencyUs: 50, megabytesPerSecond: 1000 }
const plan = new TrainingPlan(costs, { batchSize: 64, workers: 1 })

describe('threads of one machine', () => {
  it('take what was measured, alone', () => {
    expect(plan.stepMs).toBeCloseTo(33)
    expect(plan).toMatchObject({ communicationMs: 0, trafficBytes: 0, algorithm: 'shared memory', rowsPerWorker: 64 })
    expect(plan.efficiency).toBeCloseTo(1)
    expect(plan.samplesPerSecond).toBeCloseTo(64 / 0.033)
  })

  it('slow each other down, and share cores when there are more of them', () => {
    // 1.1 of 1.3 with two of four cores busy; all of it with four; twice as long with two threads on each core.
    expect(plan.at({ workers: 2 }).stepMs).toBeCloseTo((1 + 16) * 1.1)
    expect(plan.at({ workers: 4 }).stepMs).toBeCloseTo((1 + 8) * 1.3)
    expect(plan.at({ workers: 8 }).stepMs).toBeCloseTo((1 + 4) * 1.3 * 2)
  })

  it('hold weights and slots once, gradients and tensors each', () => {
    expect(plan.at({ workers: 4 }).memoryBytes).toBe(1_000_000 + 2_000_000 + 4_000_008 + 1000 + 16 * 500)
  })
})

describe('processes on a link', () => {
  const two = plan.at({ workers: 2, link })

  it('all-reduce their gradients', () => {
    // Two messages each way of half of the bytes, 4 ms, and a little for latency and adding.
    expect(two.communicationMs).toBeGreaterThan(4)
    expect(two.communicationMs).toBeLessThan(5)
    expect(two.computeMs).toBeCloseTo(17)
    expect(two.stepMs).toBeCloseTo(two.computeMs + two.communicationMs)
    expect(two.trafficBytes).toBe(4_000_008)
    expect(two.memoryBytes).toBe(12_000_000 + 4_000_008 + 1000 + 32 * 500)
  })

  it('take pieces that cost at most a twentieth more, longer ones where latency is high', () => {
    const far = plan.at({ workers: 2, link: { ...link, latencyUs: 5000 } })
    expect(two.bucketBytes).toBeLessThan(far.bucketBytes)
    expect(far.bucketBytes).toBeLessThanOrEqual(costs.gradientBytes)
  })

  it('share the cores of their machine', () => {
    expect(two.at({ workersPerMachine: 2 }).computeMs).toBeCloseTo(17 * 1.1)
  })

  it('add up inside each machine first, where several share its link', () => {
    const localLink = { latencyUs: 5, megabytesPerSecond: 10_000 }
    const eight = plan.at({ workers: 8, workersPerMachine: 4, link, localLink })
    expect(eight.algorithm).toBe('hierarchical')
    // Half a millisecond and more inside; between the machines all of the gradients, each way: 4 ms.
    const alone = plan.at({ workers: 2, link })
    const inside = plan.at({ workers: 4, workersPerMachine: 4, link, localLink })
    expect(inside.communicationMs).toBeLessThan(1)
    expect(eight.communicationMs).toBeGreaterThan(4)
    expect(eight.communicationMs).toBeCloseTo(alone.communicationMs + inside.communicationMs, 0)
  })

  it('are predicted by thousands: less and less efficient at one batch size', () => {
    const large = new TrainingPlan(costs, { batchSize: 8192, workers: 2, link })
    const efficiencies = [2, 16, 128, 1024, 8192].map((workers) => large.at({ workers }).efficiency)
    expect(efficiencies).toEqual(efficiencies.toSorted((a, b) => b - a))
    expect(efficiencies[0]).toBeGreaterThan(0.9)
    expect(efficiencies[4]).toBeLessThan(0.1)
  })
})

it('takes an algorithm of few steps for small models on slow links', () => {
  const small = new TrainingPlan({ ...costs, gradientBytes: 400 }, { batchSize: 64, workers: 8, link })
  expect(small.algorithm).toBe('doubling')
  expect(plan.at({ workers: 7, link }).algorithm).toBe('direct')
})

it('refuses more workers than rows', () => {
  for (const workers of [0, 65, 1.5]) expect(() => plan.at({ workers }), String(workers)).toThrow(ConfigError)
})
