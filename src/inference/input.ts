/** From rows, columns or a tensor to the columns that a model reads. @module */

import type * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { DataError, isTypedArray, type TypedArray } from '../core/index.js'
import {
  type Columns,
  checkColumns,
  checkRowSource,
  chunksOfRows,
  columnsOfRows,
  Dataset,
  type Row,
  type RowSource,
  rowsOf,
} from '../data/index.js'

/** Rows as objects, as columns, or the input of the model as a tensor `[rows, ...]`, not disposed. */
export type PredictorInput = readonly object[] | Columns | tf.Tensor

/**
 * @param options - `firstRow`: number of the first row, for messages. `exact`: whether numbers in rows stay float64.
 */
export async function columnsOfInput(
  input: PredictorInput,
  options: { firstRow: number; exact: boolean },
): Promise<Columns> {
  if (Array.isArray(input)) return columnsOfRows(input as readonly Row[], options)
  if (isTensor(input)) {
    const data = await input.data()
    // The cpu backend hands out its own memory, which ends with the tensor.
    return { x: { data: (isTypedArray(data) ? data.slice() : data) as TypedArray, shape: [...input.shape] } }
  }
  if (typeof input !== 'object' || input === null || Object.values(input).some((column) => typeof column !== 'object'))
    throw new DataError('There is nothing to predict on.', {
      expected: 'rows [{ ... }], columns { x: { data, shape } } or a tensor',
      received: input,
      remedy: 'Put a single row into a list: [row]',
    })
  checkColumns(input as Columns)
  return input as Columns
}

/** Columns of so many rows each, fewer in the last. The next rows are read when the columns were taken. */
export function inBatches(
  rows: RowSource | Dataset,
  options: { size: number; exact: boolean },
): AsyncIterable<Columns> {
  if (rows instanceof Dataset) return rows.batches(options.size)
  checkRowSource('A stream', rows)
  return chunksOfRows(rows, options)
}

/** Those of the columns that the model reads; all, if one is missing, for its error says what there is. */
export function modelColumns(model: tfl.LayersModel, columns: Columns): Columns {
  const names = model.inputs.length === 1 ? ['x'] : model.inputNames
  if (names.some((name) => !Object.hasOwn(columns, name))) return columns
  return Object.fromEntries(names.map((name) => [name, columns[name]!]))
}

/**
 * @param options - `sourcesOf`: names of the user's columns that the values of a row of a column come from.
 * @throws {DataError} if a value is NaN.
 */
export function assertNumbers(
  columns: Columns,
  { firstRow, sourcesOf }: { firstRow: number; sourcesOf: (name: string) => string[] | undefined },
): void {
  for (const [name, { data }] of Object.entries(columns)) {
    const at = data instanceof Float32Array || data instanceof Float64Array ? data.findIndex(Number.isNaN) : -1
    if (at < 0) continue
    const width = data.length / rowsOf(columns)
    const source = sourcesOf(name)?.[at % width] ?? name
    throw new DataError(
      `Row ${firstRow + Math.floor(at / width)} has no number in '${source}', which the model reads.`,
      {
        expected: 'a number',
        received: Number.NaN,
        remedy: 'Give it a value, or train with impute() in the preprocessor',
      },
    )
  }
}

function isTensor(input: PredictorInput): input is tf.Tensor {
  return typeof input === 'object' && input !== null && 'dataId' in input && 'shape' in input
}
