import { expect, it } from 'vitest'
import { TRUE_WEIGHTS, trainOnCsv } from '../fixtures/train-csv.js'

/** A sample of tests/long/csv-memory.test.ts. */
it('trains on every row of a CSV file, as they come', async () => {
  const { rows, rowsWritten, weights, loss } = await trainOnCsv(48 * 2 ** 20)
  expect(rows).toBe(rowsWritten)
  expect(loss).toBeGreaterThan(0)
  weights.forEach((weight, i) => {
    expect(Math.abs(weight - TRUE_WEIGHTS[i]!)).toBeLessThan(0.1)
  })
})
