/** From a dataset to the columns that a job reads, checked against the model. @module */

import type * as tfl from '@tensorflow/tfjs-layers'
import { DataError, didYouMean, ShapeError } from '../core/index.js'
import { type Columns, rowsOf } from '../data/index.js'
import { inputShape } from '../engine/index.js'
import { checkTargets } from '../metrics/index.js'
import type { SharedColumns, TrainingJob } from './job.js'

/**
 * Checks columns and leaves out those that the job does not read.
 *
 * @param what - What the data is for, in errors: 'training'.
 */
export function prepareColumns(
  columns: Columns,
  model: tfl.LayersModel,
  job: TrainingJob,
  what: string,
): SharedColumns {
  const { features, target, weight } = job.columns
  const custom = job.step !== undefined
  const names = custom
    ? Object.keys(columns).filter((name) => !Array.isArray(columns[name]!.data))
    : [...inputColumns(model, features), target, ...(weight === undefined ? [] : [weight])]
  const prepared: SharedColumns = {}
  for (const name of names) {
    const column = columns[name]
    if (!column)
      throw new DataError(`The ${what} data has no column '${name}'.`, {
        expected: `one of ${Object.keys(columns).join(', ')}`,
        received: name,
        remedy: didYouMean(name, Object.keys(columns)),
      })
    if (Array.isArray(column.data))
      throw new DataError(`The column '${name}' of the ${what} data holds text.`, {
        expected: 'numbers',
        remedy: 'Turn it into numbers in a Preprocessor',
      })
    prepared[name] = { data: column.data, shape: column.shape }
  }
  const rows = rowsOf(prepared)
  if (rows === 0) throw new DataError(`The ${what} data is empty.`, { expected: 'at least one row', received: 0 })
  if (custom) return prepared
  inputColumns(model, features).forEach((name, i) => {
    const { data, shape } = prepared[name]!
    prepared[name] = { data, shape: shapeFor(model.inputs[i]!.shape, shape, name) }
  })
  const output = model.outputs[0]!.shape
  if (job.loss !== undefined) checkTargets(job.loss, prepared[target]!, output)
  return prepared
}

/** Columns that feed the inputs of a model: the features, or one per input, by the inputs' names. */
function inputColumns(model: tfl.LayersModel, features: string): string[] {
  return model.inputs.length === 1 ? [features] : [...model.inputNames]
}

function shapeFor(input: readonly (number | null)[], shape: readonly number[], name: string): number[] {
  const read = inputShape(shape, input)
  if (read) return read
  throw new ShapeError(`The column '${name}' does not match the input of the model.`, {
    expected: `[rows, ${input.slice(1).join(', ')}]`,
    received: `[${['rows', ...shape.slice(1)].join(', ')}]`,
    remedy: 'Give the first layer this inputShape, or reshape the column',
  })
}
