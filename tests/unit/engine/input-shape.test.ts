import { expect, it } from 'vitest'
import { inputShape } from '../../../src/engine/index.js'

it.each([
  // column, input, as read
  [
    [5, 3],
    [null, 3],
    [5, 3],
  ],
  [[5], [null, 1], [5, 1]],
  [
    [5, 1],
    [null, 1],
    [5, 1],
  ],
  [
    [5, 784],
    [null, 28, 28, 1],
    [5, 28, 28, 1],
  ],
  [
    [5, 28, 28, 1],
    [null, 784],
    [5, 784],
  ],
  [
    [5, 9],
    [null, null],
    [5, 9],
  ],
  [
    [5, 7, 3],
    [null, null, 3],
    [5, 7, 3],
  ],
  [[5], [null, null], undefined],
  [[5, 2], [null, 3], undefined],
  [[5, 7, 3], [null, null, 4], undefined],
  // As many values, and yet a picture on its side.
  [[5, 24, 32], [null, 32, 24], undefined],
] as [number[], (number | null)[], number[] | undefined][])(
  'a column %j is read by the input %j as %j',
  (shape, input, read) => {
    expect(inputShape(shape, input)).toEqual(read)
  },
)
