/** What a model says about a row. @module */

import type { Outputs } from '../engine/index.js'
import type { Preprocessor } from '../preprocess/index.js'

/** One class that a row may be of. */
export interface ClassProbability {
  class: string
  /** 0 to 1. */
  probability: number
}

/** The most probable class of a row, and the next ones. */
export interface ClassPrediction extends ClassProbability {
  /** The most probable classes, best first. */
  topK: ClassProbability[]
}

/**
 * The value of a row, in the unit of the target before the preprocessor.
 *
 * @typeParam Value - `number[]` of an output with several values per row: all of them, flat.
 */
export interface ValuePrediction<Value extends number | number[] = number> {
  value: Value
}

/** What a model says about a row: `'class' in prediction` tells which. */
export type Prediction = ClassPrediction | ValuePrediction<number | number[]>

/**
 * Probabilities as classes. A single output is the probability of the second of two.
 *
 * @param outputs - `[rows, classes]` or `[rows, 1]`.
 * @param classes - Their names.
 * @param topK - How many to list.
 */
export function classPredictions(outputs: Outputs, classes: readonly string[], topK: number): ClassPrediction[] {
  return eachRow(outputs, (own) => {
    const probabilities = own.length === 1 ? [1 - own[0]!, own[0]!] : own
    const order = Array.from(probabilities, (_, index) => index)
    order.sort((a, b) => probabilities[b]! - probabilities[a]!)
    const ranked = order.slice(0, topK).map((index) => ({
      class: classes[index]!,
      probability: probabilities[index]!,
    }))
    return { ...ranked[0]!, topK: ranked }
  })
}

/** Outputs as values, with undone what the preprocessor did to the target, such as standardize('y'). */
export function valuePredictions(
  outputs: Outputs,
  preprocessor: Preprocessor | undefined,
): ValuePrediction<number | number[]>[] {
  return eachRow(outputs, (own) => {
    const before = preprocessor ? Object.values(preprocessor.inverse({ y: own }))[0] : own
    const values = Array.from(before instanceof Float32Array ? before : own)
    return { value: values.length === 1 ? values[0]! : values }
  })
}

/** The categories that a preprocessor made the target from, by turning each unit vector back. */
export function categoriesOf(
  preprocessor: Preprocessor | undefined,
  outputShape: readonly (number | null)[],
): string[] | undefined {
  const width = outputShape.at(-1) ?? 1
  if (!preprocessor?.fitted || width < 2) return undefined
  const categories = Array.from({ length: width }, (_, i) => {
    const unit = new Float32Array(width)
    unit[i] = 1
    return Object.values(preprocessor.inverse({ y: unit }))[0]
  })
  const named = categories.every((category) => typeof category === 'string' || typeof category === 'number')
  return named ? categories.map(String) : undefined
}

function eachRow<T>({ data, shape }: Outputs, visit: (own: Float32Array) => T): T[] {
  const width = data.length / shape[0]!
  return Array.from({ length: shape[0]! }, (_, row) => visit(data.subarray(row * width, (row + 1) * width)))
}
