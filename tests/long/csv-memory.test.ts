import { expect, it } from 'vitest'
import { TRUE_WEIGHTS, trainOnCsv } from '../fixtures/train-csv.js'

const MB = 2 ** 20

it('trains on 2 GB of CSV in less than 512 MB of memory', async () => {
  const { rows, rowsWritten, weights, seconds, maxRssBytes } = await trainOnCsv(2048 * MB)
  console.log(`2 GB, ${rows} rows: ${seconds.toFixed(0)} s, at most ${(maxRssBytes / MB).toFixed(0)} MB resident`)
  expect(rows).toBe(rowsWritten)
  expect(maxRssBytes).toBeLessThan(512 * MB)
  weights.forEach((weight, i) => {
    expect(Math.abs(weight - TRUE_WEIGHTS[i]!)).toBeLessThan(0.01)
  })
})
