/** Are the targets what the loss takes? Asked once, before training. @module */

import { DataError, ShapeError, type TypedArray } from '../core/index.js'

/**
 * Checks the target column against the loss and the model's output.
 *
 * @param lossName - A loss by name.
 * @param target - Target column, `[rows, ...]`.
 * @param outputShape - The model's output, `[null, ...]`.
 * @throws {ShapeError} if the widths differ. @throws {DataError} if a label is not a class.
 */
export function checkTargets(
  lossName: string,
  target: { data: TypedArray; shape: readonly number[] },
  outputShape: readonly (number | null)[],
): void {
  const classes = outputShape[outputShape.length - 1]!
  if (lossName === 'sparseCategoricalCrossentropy') {
    checkLabels(target.data, classes)
    return
  }
  const expected = outputShape.slice(1).reduce<number>((size, length) => size * (length ?? 1), 1)
  const received = target.shape.slice(1).reduce((size, length) => size * length, 1)
  if (expected === received) return
  throw new ShapeError('The targets do not match the output of the model.', {
    expected: describeRows(outputShape.slice(1)),
    received: describeRows(target.shape.slice(1)),
    remedy:
      lossName === 'categoricalCrossentropy' && target.shape.length === 1
        ? "Use the loss 'sparseCategoricalCrossentropy' for class numbers, or oneHot them in a Preprocessor"
        : 'Change the last layer or the target column',
  })
}

function checkLabels(labels: TypedArray, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!
    if (Number.isInteger(label) && label >= 0 && label < classes) continue
    throw new DataError(`The label of row ${i} is not a class of the model.`, {
      expected: `a whole number from 0 to ${classes - 1}`,
      received: label,
      remedy: 'Mend the label, or give the last layer more units',
    })
  }
}

const describeRows = (shape: readonly (number | null)[]) => `[rows${shape.map((length) => `, ${length}`).join('')}]`
