import { describe, expect, it } from 'vitest'
import { DataError, ShapeError } from '../../../src/core/index.js'
import { checkTargets } from '../../../src/metrics/index.js'

const column = (values: number[], ...row: number[]) => ({
  data: Float32Array.from(values),
  shape: [values.length / row.reduce((size, length) => size * length, 1), ...row],
})

describe('targets that a loss does not take are refused before training', () => {
  it.each([
    [
      'one unit for classes',
      'sparseCategoricalCrossentropy',
      column([0, 1]),
      [null, 1],
      ShapeError,
      /output for each class.*received 1.*'binaryCrossentropy'/,
    ],
    [
      'one-hot for class numbers',
      'sparseCategoricalCrossentropy',
      column([0, 1, 1, 0], 2),
      [null, 2],
      ShapeError,
      /labels do not match.*'categoricalCrossentropy'/,
    ],
    [
      'one-hot for class numbers of sequences',
      'sparseCategoricalCrossentropy',
      column([0, 1, 1, 0], 2, 2),
      [null, null, 2],
      ShapeError,
      /Expected \[rows, any\].*received \[rows, 2, 2\]/,
    ],
    [
      'a class too many',
      'sparseCategoricalCrossentropy',
      column([0, 2]),
      [null, 2],
      DataError,
      /label of row 1.*0 to 1; received 2/,
    ],
    [
      'a label per position',
      'sparseCategoricalCrossentropy',
      column([0, 1, 0, 5], 2),
      [null, 2, 3],
      DataError,
      /label of row 1/,
    ],
    [
      'two units for two classes',
      'binaryCrossentropy',
      column([0, 1]),
      [null, 2],
      ShapeError,
      /one unit with a sigmoid/,
    ],
    [
      'a label that is no share',
      'binaryCrossentropy',
      column([0, 1, 2]),
      [null, 1],
      DataError,
      /target of row 2.*0 to 1; received 2/,
    ],
    [
      'class numbers for one-hot',
      'categoricalCrossentropy',
      column([0, 1]),
      [null, 2],
      ShapeError,
      /sparseCategoricalCrossentropy/,
    ],
    [
      'a missing value',
      'meanSquaredError',
      column([0, 1, 2, Number.NaN], 2),
      [null, 2],
      DataError,
      /target of row 1.*dropMissing/,
    ],
  ] as const)('%s', (_, loss, target, output, Class, message) => {
    const check = () => checkTargets(loss, target, output)
    expect(check).toThrow(Class)
    expect(check).toThrow(message)
  })

  it.each([
    ['sparseCategoricalCrossentropy', column([0, 2]), [null, 3]],
    ['sparseCategoricalCrossentropy', column([0, 2], 1), [null, 3]],
    ['sparseCategoricalCrossentropy', column([0, 2, 1, 1], 2), [null, 2, 3]],
    // Sequences of any length.
    ['sparseCategoricalCrossentropy', column([0, 2, 1, 1], 2), [null, null, 3]],
    ['meanSquaredError', column([0, 2, 1, 1], 2, 1), [null, null, 1]],
    ['binaryCrossentropy', column([0, 0.5, 1]), [null, 1]],
    ['meanSquaredError', column([0, 5, -1]), [null, 1]],
    // One of the user's own may leave out what is missing.
    ['masked', column([0, Number.NaN]), [null, 1]],
  ] as const)('%s takes what it can', (loss, target, output) => {
    checkTargets(loss, target, output)
  })
})
