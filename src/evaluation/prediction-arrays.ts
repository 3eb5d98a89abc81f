/** Predictions as a user has them: plain arrays. @module */

import { checkGiven, ShapeError, type TypedArray } from '../core/index.js'
import type { Predictions, Values } from '../metrics/index.js'

/** An array of one value or of several per row. */
export type PredictionArray = readonly number[] | readonly (readonly number[])[] | TypedArray | Values

/** Predictions as plain arrays; typed arrays are one value per row. */
export interface PredictionArrays {
  /** Class numbers, one-hot rows or real targets. */
  truth: PredictionArray
  predicted?: PredictionArray
  /** Probabilities of the classes, or of the second of two. */
  scores?: PredictionArray
  weights?: ArrayLike<number>
}

/** The same as metrics read them. @throws {ShapeError} if the rows of an array differ in length. */
export function predictionsOf(arrays: PredictionArrays): Predictions {
  checkGiven(typeof arrays === 'object' && arrays !== null, 'There are no predictions to evaluate.', {
    expected: '{ truth, predicted } or { truth, scores }',
    received: arrays,
  })
  const { truth, predicted, scores, weights } = arrays
  return {
    truth: valuesOf(truth, 'truth'),
    ...(predicted ? { predicted: valuesOf(predicted, 'predicted') } : {}),
    ...(scores ? { scores: valuesOf(scores, 'scores') } : {}),
    ...(weights ? { weights } : {}),
  }
}

function valuesOf(array: PredictionArray, what: string): Values {
  checkGiven(typeof array === 'object' && array !== null, `There is no ${what} to evaluate.`, {
    expected: 'an array of numbers or of rows',
    received: array,
  })
  if ('shape' in array) return array
  const first = array[0]
  if (typeof first === 'number' || first === undefined)
    return { data: array as readonly number[], shape: [array.length] }
  const rows = array as readonly (readonly number[])[]
  const width = first.length
  for (const row of rows)
    if (row.length !== width)
      throw new ShapeError(`The rows of ${what} differ in length.`, { expected: width, received: row.length })
  return { data: rows.flat(), shape: [rows.length, width] }
}
