import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/index.js'
import { datasets } from '../../../src/data/index.js'

const draw = async (count: number, seed: number) => {
  const { x, y } = await datasets.syntheticDigits({ count, seed }).columns()
  return { x: x!.data as Uint8Array, y: y!.data as Int32Array, shapes: [x!.shape, y!.shape] }
}

/** Softmax regression by plain gradient steps over single rows; a fresh reference, without dcml's engine. */
function linearAccuracy(train: { x: Uint8Array; y: Int32Array }, test: { x: Uint8Array; y: Int32Array }): number {
  const weights = Array.from({ length: 10 }, () => new Float64Array(784))
  const biases = new Float64Array(10)
  const scores = new Float64Array(10)
  const rowsOf = (x: Uint8Array) => {
    const inks = Float64Array.from(x, (value) => value / 255)
    return Array.from({ length: x.length / 784 }, (_, row) => inks.subarray(row * 784, (row + 1) * 784))
  }
  const score = (row: Float64Array) => {
    weights.forEach((weight, c) => {
      let sum = biases[c]!
      for (let j = 0; j < row.length; j++) sum += weight[j]! * row[j]!
      scores[c] = sum
    })
    return scores.indexOf(Math.max(...scores))
  }
  const rows = rowsOf(train.x)
  for (let epoch = 0; epoch < 15; epoch++) {
    const rate = 0.05 / (1 + epoch / 3)
    for (const [i, row] of rows.entries()) {
      const greatest = scores[score(row)]!
      const powers = scores.map((value) => Math.exp(value - greatest))
      const total = powers.reduce((sum, value) => sum + value, 0)
      weights.forEach((weight, c) => {
        const step = rate * (powers[c]! / total - (train.y[i] === c ? 1 : 0))
        if (Math.abs(step) < 1e-6) return
        for (let j = 0; j < row.length; j++) weight[j]! -= step * row[j]!
        biases[c]! -= step
      })
    }
  }
  const right = rowsOf(test.x).filter((row, i) => score(row) === test.y[i])
  return right.length / test.y.length
}

describe('syntheticDigits', () => {
  it('has the columns of MNIST, all classes, and ink that spans the range', async () => {
    const { x, y, shapes } = await draw(500, 1)
    expect(shapes).toEqual([[500, 28, 28, 1], [500]])
    expect([...new Set(y)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(Math.max(...x.slice(0, 78_400))).toBeGreaterThan(200)
    expect(Math.min(...x.slice(0, 78_400))).toBe(0)
  })

  it('depends on the seed alone', async () => {
    const first = await draw(20, 7)
    expect(await draw(20, 7)).toEqual(first)
    expect((await draw(20, 8)).x).not.toEqual(first.x)
    await expect(async () => draw(0, 1)).rejects.toThrow(ConfigError)
  })

  it('is too varied for a linear model, yet not noise', async () => {
    const accuracy = linearAccuracy(await draw(8000, 1), await draw(2000, 2))
    console.log(`softmax regression on drawn digits: ${(100 * accuracy).toFixed(1)} %`)
    expect(accuracy).toBeLessThan(0.95)
    expect(accuracy).toBeGreaterThan(0.5)
  })
})
