import * as tfl from '@tensorflow/tfjs-layers'
import { adam, planTraining, selectBackend } from 'dcml'
import { expect, it } from 'vitest'

it('measures a copy of the model, and predicts other numbers of workers from it', async () => {
  await selectBackend({ prefer: ['wasm'] })
  const model = tfl.sequential({
    layers: [tfl.layers.dense({ inputShape: [6], units: 5, activation: 'relu' }), tfl.layers.dense({ units: 2 })],
  })
  const before = model.getWeights().map((weight) => [...weight.dataSync()])
  const plan = await planTraining({ model, batchSize: 32, workers: 2, optimizer: adam() })
  expect(model.getWeights().map((weight) => [...weight.dataSync()])).toEqual(before)

  const { costs } = plan
  // 6 x 5, 5, 5 x 2 and 2 floats, each beginning at a multiple of 16 bytes.
  expect(costs.weightBytes).toBe(4 * (32 + 8 + 12 + 4))
  expect(costs.slotBytes).toBe(2 * costs.weightBytes)
  // Sums of loss and weight ride behind the gradients.
  expect(costs.gradientBytes).toBe(costs.weightBytes + 4 * 2)
  expect(costs.fixedMs + costs.rowMs).toBeGreaterThan(0)
  expect(costs.contention).toBeGreaterThanOrEqual(1)
  expect(costs.rowTensorBytes).toBeGreaterThan(0)
  expect(plan).toMatchObject({ rowsPerWorker: 16, algorithm: 'shared memory' })
  expect(plan.at({ workers: 32, link: { latencyUs: 10, megabytesPerSecond: 1000 } }).stepMs).toBeGreaterThan(0)
})
