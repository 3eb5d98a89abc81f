/** Why a model answers as it does, by the columns of the rows that it was given. @module */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { ConfigError, checkWhole, didYouMean, rowSize, type TypedArray } from '../core/index.js'
import { type Columns, rowsOf } from '../data/index.js'
import type { Outputs } from '../engine/index.js'
import { type InputRow, integratedGradients } from './integrated-gradients.js'

/** How the reasons of an answer are found. */
export interface AttributionOptions<Input extends object = object> {
  /**
   * A row to compare with, prepared as the others are: what would be unremarkable.
   * @default zeros where the model reads: the mean of what was standardized, black of a picture
   */
  baseline?: Input
  /** Points on the way from the baseline to the row. More make `gap` smaller. @default 64 */
  steps?: number
  /** The class whose probability is explained, or the place of the value. @default the most probable; the first */
  of?: string | number
}

/** What each column has to do with an answer. */
export interface Attribution {
  /** What was explained: a class, or undefined where it is the value that the model gives. */
  class?: string
  /**
   * By column of the row, as far as the preprocessor tells (`x[3]` is a value of a column with several): how much it
   * moved the output. They add up to `output - baselineOutput`, but for `gap`.
   */
  columns: Record<string, number>
  /** The same for each value of each input of the model, flat. */
  inputs: Record<string, Float64Array>
  /** Probability, or value before the preprocessing of the target is undone. */
  output: number
  /** The same for the baseline. */
  baselineOutput: number
  /** Sum of the attributions minus the difference of the outputs: the error of the integral. */
  gap: number
}

/** An answer with its reasons. */
export interface Attributed {
  attribution: Attribution
}

/** What is known of the rows and their answers. */
interface Answered {
  model: tfl.LayersModel
  /** What the model read, by input. */
  prepared: Columns
  /** What it gave for that. */
  outputs: Outputs
  /** Names of the user's columns that the values of a row of an input come from, by input. */
  sources: Record<string, string[]>
  /** Names of the classes whose probabilities the outputs are; undefined: they are values. */
  classes: readonly string[] | undefined
  /** Prepared, one row. @default zeros */
  baseline: Columns | undefined
}

/**
 * @returns One for each row.
 * @throws {ConfigError} if there is no such class or value, or the output cannot be differentiated by the input.
 */
export async function attribute(
  { model, prepared, outputs, sources, classes, baseline }: Answered,
  { of, steps }: { of: AttributionOptions['of']; steps: number },
): Promise<Attribution[]> {
  checkWhole('steps of an attribution', steps)
  const width = outputs.data.length / outputs.shape[0]!
  const asked = of === undefined ? undefined : placeOf(of, width, classes)
  const names = Object.keys(prepared)
  const found: Attribution[] = []
  for (let row = 0; row < rowsOf(prepared); row++) {
    const place = asked ?? (classes ? mostProbable(outputs.data.subarray(row * width, (row + 1) * width)) : 0)
    const { attributions, output, baselineOutput } = await integratedGradients(
      model,
      inputRow(model, prepared, row),
      inputRow(model, baseline ?? zeros(prepared), 0),
      { points: steps, select: (batch) => valueAt(batch, place, classes !== undefined) },
    )
    const columns: Record<string, number> = {}
    let sum = 0
    attributions.forEach((values, i) => {
      values.forEach((value, j) => {
        const source = sources[names[i]!]![j]!
        columns[source] = (columns[source] ?? 0) + value
        sum += value
      })
    })
    found.push({
      ...(classes ? { class: classes[place]! } : {}),
      columns,
      inputs: Object.fromEntries(names.map((name, i) => [name, attributions[i]!])),
      output,
      baselineOutput,
      gap: sum - (output - baselineOutput),
    })
  }
  return found
}

function placeOf(of: string | number, width: number, classes: readonly string[] | undefined): number {
  const place = classes ? classes.indexOf(String(of)) : Number(of)
  if (Number.isInteger(place) && place >= 0 && place < (classes?.length ?? width)) return place
  throw new ConfigError(`The model gives no '${of}' to explain.`, {
    expected: classes ? `one of ${classes.join(', ')}` : `the place of a value, 0 to ${width - 1}`,
    received: of,
    remedy: classes && didYouMean(String(of), classes),
  })
}

function mostProbable(own: Float32Array): number {
  return own.length === 1 ? Number(own[0]! > 0.5) : own.indexOf(Math.max(...own))
}

/** One value per row of outputs `[rows, ...]`; a single probability is that of the second of two classes. */
function valueAt(outputs: tf.Tensor, place: number, isClasses: boolean): tf.Tensor {
  const flat = tf.reshape(outputs, [outputs.shape[0]!, -1])
  if (!isClasses || flat.shape[1]! > 1) return tf.squeeze(tf.slice(flat, [0, place], [-1, 1]), [1])
  const second = tf.squeeze(flat, [1])
  return place === 1 ? second : tf.sub(1, second)
}

function inputRow(model: tfl.LayersModel, columns: Columns, row: number): InputRow {
  return Object.values(columns).map(({ data, shape }, i) => {
    const wanted = model.inputs[i]!.shape.slice(1)
    const size = rowSize(shape)
    const values = Float32Array.from((data as TypedArray).subarray(row * size, (row + 1) * size))
    return { values, shape: wanted.every((length) => length !== null) ? wanted : shape.slice(1) }
  })
}

const zeros = (columns: Columns): Columns =>
  Object.fromEntries(
    Object.entries(columns).map(([name, { shape }]) => {
      const size = rowSize(shape)
      return [name, { data: new Float32Array(size), shape: [1, ...shape.slice(1)] }]
    }),
  )
