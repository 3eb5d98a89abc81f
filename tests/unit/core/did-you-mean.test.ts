import { describe, expect, it } from 'vitest'
import { didYouMean } from '../../../src/core/index.js'
import { columnOf } from '../../../src/data/index.js'
import { resolveLoss, resolveMetric } from '../../../src/metrics/index.js'
import { resolveOptimizer } from '../../../src/optimizers/index.js'

describe('didYouMean', () => {
  const names = ['accuracy', 'mse', 'mae', 'x', 'binaryCrossentropy']
  it.each([
    ['acuracy', 'accuracy', 'a letter left out'],
    ['accuraccy', 'accuracy', 'a letter too many'],
    ['axcurady', 'accuracy', 'two letters replaced'],
    ['mes', 'mse', 'two letters swapped'],
    ['MAE', 'mae', 'other case'],
    ['binaryCrossEntropy', 'binaryCrossentropy', 'other case within'],
    ['X', 'x', 'one letter of other case'],
  ])('takes %s for %s: %s', (name, meant) => {
    expect(didYouMean(name, names)).toBe(`Did you mean '${meant}'?`)
  })

  it.each(['y', 'precision', 'axxuradx', ''])('makes no guess for "%s"', (name) => {
    expect(didYouMean(name, names)).toBeUndefined()
  })

  it('takes the closest, and of equals the first', () => {
    expect(didYouMean('mase', ['maze', 'mae', 'mase2'])).toBe("Did you mean 'maze'?")
    expect(didYouMean('adamx', ['adam', 'adamw'])).toBe("Did you mean 'adam'?")
    expect(didYouMean('adamW', ['adam', 'adamw'])).toBe("Did you mean 'adamw'?")
  })
})

it('helps with losses, metrics, optimizers and columns', () => {
  expect(() => resolveLoss('meanSquareError')).toThrow("Did you mean 'meanSquaredError'?")
  expect(() => resolveMetric('acuracy')).toThrow("Did you mean 'accuracy'?")
  expect(() => resolveOptimizer('adma' as 'adam')).toThrow("Did you mean 'adam'?")
  const columns = { income: { data: Float32Array.of(1), shape: [1] } }
  expect(() => columnOf(columns, 'incme')).toThrow("Did you mean 'income'?")
  expect(() => columnOf(columns, 'age')).toThrow(/received the columns income\. Name one of these columns/i)
})
