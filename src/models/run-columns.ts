/** A model's output for columns in host memory. @module */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { rowTensor } from '../backends/index.js'
import { DataError, didYouMean, ShapeError, sameShape, type TypedArray } from '../core/index.js'

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
 * @param options - `batchSize`: rows per run.
 * @throws {DataError} if a column is missing or holds strings. @throws {ShapeError} if rows do not fit the input.
 */
export async function runColumns(
  model: tfl.LayersModel,
  columns: InputColumns,
  { batchSize }: { batchSize: number },
): Promise<Outputs> {
  const names = model.inputs.length === 1 ? ['x'] : model.inputNames
  const inputs = names.map((name, i) => inputColumn(columns, name, model.inputs[i]!.shape))
  const rows = inputs[0]!.shape[0]!
  const order = Uint32Array.from({ length: rows }, (_, row) => row)
  const rowShape = model.outputs[0]!.shape.slice(1)
  let output: Outputs | undefined
  for (let from = 0; from < rows; from += batchSize) {
    const to = Math.min(from + batchSize, rows)
    const result = tf.tidy(() => {
      const tensors = inputs.map(({ data, shape }) =>
        rowTensor(data, shape.slice(1), { indices: order, from, to }, 'float32'),
      )
      return model.apply(tensors.length === 1 ? tensors[0]! : tensors, { training: false }) as tf.Tensor
    })
    const values = await result.data()
    const width = result.size / (to - from)
    output ??= { data: new Float32Array(rows * width), shape: [rows, ...result.shape.slice(1)] }
    output.data.set(values, from * width)
    result.dispose()
  }
  return output ?? { data: new Float32Array(0), shape: [0, ...rowShape.map((length) => length ?? 0)] }
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
  const wanted = expected.slice(1)
  const got = column.shape.slice(1)
  const size = (shape: readonly (number | null)[]) => shape.reduce<number>((all, length) => all * (length ?? 1), 1)
  // A flat row fills the shape of an input that is wholly known, as rows and JSON hold it.
  const known = wanted.every((length) => length !== null)
  if (known && !sameShape(wanted as number[], got) && size(wanted) === size(got))
    return { data: column.data, shape: [column.shape[0]!, ...(wanted as number[])] }
  if (wanted.length !== got.length || wanted.some((length, axis) => length !== null && length !== got[axis]))
    throw new ShapeError(`Rows of the column '${name}' do not fit the input of the model.`, {
      expected: `[${wanted.join(', ')}]`,
      received: `[${got.join(', ')}]`,
      remedy: 'Reshape the column, or prepare it as for training',
    })
  return { data: column.data, shape: column.shape }
}
