/** A model's output for columns in host memory. @module */

import type * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { rowTensor } from '../backends/index.js'
import { DataError, didYouMean, ShapeError, type TypedArray } from '../core/index.js'
import type { Engine, Run } from './engine.js'
import { inputShape } from './input-shape.js'

/** Outputs of a model, row after row. */
export interface Outputs {
  data: Float32Array
  /** `[rows, ...]` */
  shape: number[]
}

/** Columns as a model reads them. */
export type InputColumns = Record<string, { data: TypedArray | string[]; shape: number[] }>

/**
 * Runs a model of one output in batches.
 *
 * @param columns - `x` for a model of one input, else one column per input, by name.
 * @param options - `batchSize`: rows per run. `engine`: what runs them.
 * @throws {DataError} if a column is missing or holds strings. @throws {ShapeError} if rows do not fit the input.
 */
export async function runModel(
  model: tfl.LayersModel,
  columns: InputColumns,
  { batchSize, engine }: { batchSize: number; engine: Engine },
): Promise<Outputs> {
  const names = model.inputs.length === 1 ? ['x'] : model.inputNames
  const inputs = Object.fromEntries(
    names.map((name, i) => [name, inputColumn(columns, name, model.inputs[i]!.shape)] as const),
  )
  const rows = inputs[names[0]!]!.shape[0]!
  const indices = Uint32Array.from({ length: rows }, (_, row) => row)
  let rowShape = model.outputs[0]!.shape.slice(1).map((length) => length ?? 0)
  const forward = ({ selection }: Run) => {
    const tensors = names.map((name) => {
      const { data, shape } = inputs[name]!
      return rowTensor(data, shape.slice(1), selection, 'float32')
    })
    const output = model.apply(tensors.length === 1 ? tensors[0]! : tensors, { training: false }) as tf.Tensor
    rowShape = output.shape.slice(1)
    return output
  }
  let data = new Float32Array(0)
  for (let from = 0; from < rows; from += batchSize) {
    const selection = { indices, from, to: Math.min(from + batchSize, rows) }
    const run = { columns: inputs, selection, training: false, step: 0, firstRow: from }
    const values = await engine.infer(run, forward)
    const width = values.length / (selection.to - from)
    if (from === 0) data = new Float32Array(rows * width)
    data.set(values, from * width)
  }
  return { data, shape: [rows, ...rowShape] }
}

function inputColumn(
  columns: InputColumns,
  name: string,
  expected: readonly (number | null)[],
): { data: TypedArray; shape: number[] } {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (!column)
    throw new DataError(`The model needs the column '${name}'.`, {
      received: `the columns ${Object.keys(columns).join(', ')}`,
      remedy: didYouMean(name, Object.keys(columns)) ?? 'Rename the column that holds the input',
    })
  if (Array.isArray(column.data))
    throw new DataError(`The column '${name}' holds strings, and a model reads numbers.`, {
      remedy: 'Encode it with a Preprocessor',
    })
  const shape = inputShape(column.shape, expected)
  if (!shape)
    throw new ShapeError(`Rows of the column '${name}' do not fit the input of the model.`, {
      expected: `[${expected.slice(1).join(', ')}]`,
      received: `[${column.shape.slice(1).join(', ')}]`,
      remedy: 'Reshape the column, or prepare it as for training',
    })
  return { data: column.data, shape }
}
