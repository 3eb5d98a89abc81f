/**
 * Predicts with a trained model.
 *
 * Owns: preparing rows, batches, naming classes.
 * Leaves: the fitted preprocessing to preprocess/, the saved form to models/.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { type BackendName, ensureBackend } from '../backends/index.js'
import { ConfigError, checkWhole, isTypedArray, ShapeError, StateError, type TypedArray } from '../core/index.js'
import { type Columns, columnsOfRows, type Row } from '../data/index.js'
import { createEngine, type Engine, type Outputs, runModel } from '../engine/index.js'
import { loadBundle, outputActivation } from '../models/index.js'
import { Preprocessor } from '../preprocess/index.js'
import type { Store } from '../storage/index.js'

/** What a predictor is made of. */
export interface PredictorOptions {
  model: tfl.LayersModel
  /** Fitted; applied to whatever is predicted on. */
  preprocessor?: Preprocessor
  /**
   * Names of the classes, in the order of the model's outputs.
   * @default the categories of a preprocessor with oneHot('y'), else their numbers
   */
  classes?: readonly string[]
  /**
   * Rows per run of the model.
   * @default 256
   */
  batchSize?: number
}

/** One class that a row may be of. */
export interface ClassProbability {
  class: string
  probability: number
}

/** What the model says about one row. */
export interface Explanation extends ClassProbability {
  /** The most probable classes, best first. */
  topK: ClassProbability[]
}

/** Rows as objects, as columns, or the input of the model as a tensor `[rows, ...]`, not disposed. */
export type PredictorInput = readonly Row[] | Columns | tf.Tensor

/**
 * A model with what prepares its input.
 *
 * @example
 * const predictor = await Predictor.load(directory('run'))
 * const [first] = await predictor.explain([{ x: pixels }])
 * console.log(first.class, first.probability)
 */
export class Predictor {
  /** The model; the predictor's own. */
  readonly model: tfl.LayersModel
  /** What prepares the input; undefined: nothing. */
  readonly preprocessor: Preprocessor | undefined
  /** Names of the classes, in the order of the model's outputs; undefined: their numbers. */
  readonly classes: readonly string[] | undefined
  readonly #batchSize: number
  /** What runs the model, and the backend that it was made for. */
  #engine: { engine: Engine; backend: BackendName } | undefined
  #disposed = false

  /** The predictor owns the model from here on: `dispose` disposes it. */
  constructor({ model, preprocessor, classes, batchSize = 256 }: PredictorOptions) {
    checkWhole('The batch size of a predictor', batchSize)
    this.model = model
    this.preprocessor = preprocessor
    this.classes = classes ?? categoriesOf(preprocessor, model.outputs[0]!.shape)
    this.#batchSize = batchSize
  }

  /**
   * Loads what `trainer.save(store)` saved.
   *
   * @param options - `prefix` as given to `save`; the rest as for the constructor.
   * @throws {StorageError} if there is no such model, or it is damaged.
   */
  static async load(
    store: Store,
    { prefix = '', ...options }: { prefix?: string } & Omit<PredictorOptions, 'model' | 'preprocessor'> = {},
  ): Promise<Predictor> {
    await ensureBackend()
    const { model, preprocessor } = await loadBundle(store, prefix)
    return new Predictor({
      ...options,
      model,
      ...(preprocessor === undefined ? {} : { preprocessor: Preprocessor.fromJSON(preprocessor as never) }),
    })
  }

  /** Whether the model ends with probabilities of classes, for `explain`. */
  get givesClasses(): boolean {
    return outputActivation(this.model) !== 'other' && this.model.outputs[0]!.shape.length === 2
  }

  /**
   * The output of the model: one result per row, always.
   *
   * @param options - `firstRow`: number of the first row, for messages. @default 0
   * @returns Probabilities or values, `[rows, ...]`, in host memory.
   * @throws {DataError} if a column is missing, or a row has a gap that the preprocessor does not fill.
   * @throws {ShapeError} if rows do not fit the model.
   */
  async predict(input: PredictorInput, { firstRow = 0 }: { firstRow?: number } = {}): Promise<Outputs> {
    if (this.#disposed) throw new StateError('The predictor was used after dispose().')
    const { name } = await ensureBackend()
    const columns = await columnsOf(input)
    // Steps on other columns, such as the target, are left out: they are not there to predict on.
    const only = [...Object.keys(columns), 'x', ...this.model.inputNames]
    const prepared = this.preprocessor ? this.preprocessor.transformColumns(columns, { only, firstRow }) : columns
    return runModel(this.model, prepared, { batchSize: this.#batchSize, engine: this.#engineOn(name) })
  }

  /**
   * The most probable class of every row, and the next ones.
   *
   * @param options - `topK`: how many classes to list, default 3. `firstRow`: as for `predict`.
   * @throws {ConfigError} if the model does not end with probabilities of classes.
   */
  async explain(
    input: PredictorInput,
    { topK = 3, firstRow = 0 }: { topK?: number; firstRow?: number } = {},
  ): Promise<Explanation[]> {
    checkWhole('topK', topK)
    if (!this.givesClasses)
      throw new ConfigError('The model gives no probabilities of classes, so there is none to explain.', {
        expected: 'a last layer [rows, classes] with softmax or sigmoid',
        remedy: 'Use predict()',
      })
    const { data, shape } = await this.predict(input, { firstRow })
    const width = shape[1]!
    return Array.from({ length: shape[0]! }, (_, row) => {
      const own = data.subarray(row * width, (row + 1) * width)
      const probabilities = width === 1 ? [1 - own[0]!, own[0]!] : Array.from(own)
      const ranked = probabilities
        .map((probability, index) => ({ class: this.classes?.[index] ?? String(index), probability }))
        .sort((a, b) => b.probability - a.probability)
      return { ...ranked[0]!, topK: ranked.slice(0, topK) }
    })
  }

  /** Frees the model. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#engine?.engine.dispose()
    this.model.dispose()
  }

  #engineOn(backend: BackendName): Engine {
    if (this.#engine?.backend !== backend) {
      this.#engine?.engine.dispose()
      this.#engine = { engine: createEngine('auto'), backend }
    }
    return this.#engine.engine
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** The categories that a preprocessor made the target from, by turning each unit vector back. */
function categoriesOf(
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

async function columnsOf(input: PredictorInput): Promise<Columns> {
  if (Array.isArray(input)) {
    if (input.length === 0) throw new ShapeError('There are no rows to predict.', { expected: 'at least one row' })
    return columnsOfRows(input as readonly Row[])
  }
  if (!isTensor(input)) return input as Columns
  const data = await input.data()
  // The cpu backend hands out its own memory, which ends with the tensor.
  return { x: { data: (isTypedArray(data) ? data.slice() : data) as TypedArray, shape: [...input.shape] } }
}

function isTensor(input: PredictorInput): input is tf.Tensor {
  return 'dataId' in input && 'shape' in input
}
