/** Are the targets what the loss takes? Asked once, before training. @module */

import { DataError, ShapeError, type TypedArray } from '../core/index.js'

/**
 * Checks the target column against the loss and the model's output.
 *
 * @param lossName - A loss by name.
 * @param target - Target column, `[rows, ...]`.
 * @param outputShape - The model's output, `[null, ...]`.
 * @throws {ShapeError} if the widths differ, or there is no output for each class.
 * @throws {DataError} if a label is not a class, or a built-in loss does not take a value.
 */
export function checkTargets(
  lossName: string,
  target: { data: TypedArray; shape: readonly number[] },
  outputShape: readonly (number | null)[],
): void {
  if (lossName === 'sparseCategoricalCrossentropy') {
    checkLabels(target, outputShape)
    return
  }
  if (!fits(target.shape, outputShape))
    throw new ShapeError('The targets do not match the output of the model.', {
      expected: describeRows(outputShape.slice(1)),
      received: describeRows(target.shape.slice(1)),
      remedy: remedyOf(lossName, target.shape.length),
    })
  const isShare = crossentropies.includes(lossName)
  if (!isShare && !regressions.includes(lossName)) return
  const at = target.data.findIndex((value: number) => Number.isNaN(value) || (isShare && !(value >= 0 && value <= 1)))
  if (at < 0) return
  throw new DataError(
    `The target of row ${Math.floor(at / sizeOfRow(target.shape))} is none that '${lossName}' takes.`,
    {
      expected: isShare ? 'a number from 0 to 1' : 'a number',
      received: target.data[at],
      remedy: 'Mend it, or leave such rows out: dropMissing() in a Preprocessor does it for NaN',
    },
  )
}

/** Those whose targets are probabilities. */
const crossentropies = ['categoricalCrossentropy', 'binaryCrossentropy']
const regressions = ['meanSquaredError', 'meanAbsoluteError', 'huber']

function remedyOf(lossName: string, targetRank: number): string {
  if (targetRank === 1 && lossName === 'categoricalCrossentropy')
    return "Use the loss 'sparseCategoricalCrossentropy' for class numbers, or oneHot them in a Preprocessor"
  if (targetRank === 1 && lossName === 'binaryCrossentropy')
    return "Give the last layer one unit with a sigmoid, or use 'sparseCategoricalCrossentropy' with a softmax"
  return 'Change the last layer or the target column'
}

function checkLabels(
  { data, shape }: { data: TypedArray; shape: readonly number[] },
  outputShape: readonly (number | null)[],
): void {
  const classes = outputShape[outputShape.length - 1]!
  if (classes < 2)
    throw new ShapeError("The loss 'sparseCategoricalCrossentropy' needs an output for each class.", {
      expected: '2 units or more in the last layer, with a softmax',
      received: classes,
      remedy: "Give it a unit for each class, or use 'binaryCrossentropy' with one unit and a sigmoid",
    })
  const places = outputShape.slice(0, -1)
  if (!fits(shape, places))
    throw new ShapeError('The labels do not match the output of the model.', {
      expected: `${describeRows(places.slice(1))}, the number of a class each`,
      received: describeRows(shape.slice(1)),
      remedy: "Use the loss 'categoricalCrossentropy' for one-hot targets",
    })
  for (let i = 0; i < data.length; i++) {
    const label = data[i]!
    if (Number.isInteger(label) && label >= 0 && label < classes) continue
    throw new DataError(`The label of row ${Math.floor(i / sizeOfRow(shape))} is not a class of the model.`, {
      expected: `a whole number from 0 to ${classes - 1}`,
      received: label,
      remedy: 'Mend the label, or give the last layer more units',
    })
  }
}

/** Values of a row; an open length counts as 1. */
const sizeOfRow = (shape: readonly (number | null)[]) =>
  shape.slice(1).reduce<number>((size, length) => size * (length ?? 1), 1)

/** Whether there is a value for each output. An open length, as that of a sequence, takes any. */
function fits(shape: readonly number[], outputShape: readonly (number | null)[]): boolean {
  const lengths = outputShape.slice(1)
  if (!lengths.includes(null)) return sizeOfRow(shape) === sizeOfRow(outputShape)
  const given = shape.slice(1)
  return given.length === lengths.length && lengths.every((length, i) => length === null || length === given[i])
}

const describeRows = (shape: readonly (number | null)[]) =>
  `[rows${shape.map((length) => `, ${length ?? 'any'}`).join('')}]`
