/** Rows as a model reads them. @module */

import { rowSize, sameShape } from '../core/index.js'

/**
 * The shape in which a model reads a column: its own, or that of the input where a flat row fills it (as rows, JSON and
 * columns of one number hold it) or where it fills a flat row. Undefined where the two do not fit together.
 *
 * @param shape - `[rows, ...]` of the column.
 * @param input - `[null, ...]` of the input; null: any length.
 */
export function inputShape(shape: readonly number[], input: readonly (number | null)[]): number[] | undefined {
  const wanted = input.slice(1)
  if (wanted.every((length) => length !== null)) {
    const filled = [shape[0]!, ...wanted]
    const isFlat = shape.length <= 2 || wanted.length === 1
    return sameShape(filled, shape) || (isFlat && rowSize(filled) === rowSize(shape)) ? filled : undefined
  }
  const fits =
    shape.length === input.length && wanted.every((length, axis) => length === null || length === shape[axis + 1])
  return fits ? [...shape] : undefined
}
