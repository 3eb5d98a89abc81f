/**
 * Predicts with a trained model.
 *
 * Owns: what is asked of the model and the form of the answers.
 * Leaves: the fitted preprocessing to preprocess/, the saved form to models/, whose turn it is to run-queue.ts, the
 * reasons of an answer to integrated-gradients.ts.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { type BackendName, ensureBackend } from '../backends/index.js'
import { ConfigError, checkGiven, checkWhole, NumericError, StateError, withDefaults } from '../core/index.js'
import { type Columns, type Dataset, gatherRows, rowsOf } from '../data/index.js'
import { createEngine, type Engine, type Outputs, runModel } from '../engine/index.js'
import { loadBundle, outputActivation } from '../models/index.js'
import { Preprocessor, type PreprocessorJson } from '../preprocess/index.js'
import { checkStore, type Store } from '../storage/index.js'
import { type Attributed, type AttributionOptions, attribute } from './attribution.js'
import { assertNumbers, columnsOfInput, inBatches, modelColumns, type PredictorInput } from './input.js'
import {
  type ClassPrediction,
  categoriesOf,
  classPredictions,
  type Prediction,
  valuePredictions,
} from './prediction.js'
import { RunQueue } from './run-queue.js'

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

/** How rows are answered. */
export interface PredictOptions {
  /** Number of the first row, for messages. @default 0 */
  firstRow?: number
  /** How many classes to list per row. @default 3 */
  topK?: number
}

/** How a stream of rows is answered. */
export interface StreamOptions extends Pick<PredictOptions, 'topK'> {
  /**
   * Rows that are read before they are answered together; 1 answers each as it comes.
   * @default that of the predictor
   */
  batchSize?: number
}

/**
 * A model with what prepares its input.
 *
 * Any number of calls may be made at once: they wait for each other, and those that wait are run as one batch.
 *
 * @typeParam Input - The rows that it is given.
 * @typeParam Output - What it says about them: `ClassPrediction` of a model that ends with softmax or sigmoid, else
 *   `ValuePrediction`, or `ValuePrediction<number[]>` of an output with several values.
 * @example
 * const predictor = await Predictor.load<{ age: number; town: string }, ClassPrediction>(directory('run'))
 * const [first] = await predictor.predict([{ age: 54, town: 'Lima' }])
 * console.log(first.class, first.probability)
 */
export class Predictor<Input extends object = object, Output extends Prediction = Prediction> {
  /** The model; the predictor's own. */
  readonly model: tfl.LayersModel
  /** What prepares the input; undefined: nothing. */
  readonly preprocessor: Preprocessor | undefined
  /** Names of the classes, in the order of the model's outputs; undefined: their numbers. */
  readonly classes: readonly string[] | undefined
  readonly #batchSize: number
  readonly #queue: RunQueue
  /** What runs the model, and the backend that it was made for. */
  #engine: { engine: Engine; backend: BackendName } | undefined
  #disposed = false

  /** The predictor owns the model from here on: `dispose` disposes it. */
  constructor(options: PredictorOptions) {
    const { model, preprocessor, classes, batchSize } = withDefaults('Predictor', options, {
      model: undefined,
      preprocessor: undefined,
      classes: undefined,
      batchSize: 256,
    })
    checkWhole('The batch size of a predictor', batchSize)
    checkGiven(Array.isArray(model?.outputs), 'A predictor needs a model.', {
      expected: 'a LayersModel',
      received: model,
      remedy: 'Load a saved one by Predictor.load(store)',
    })
    checkGiven(preprocessor === undefined || preprocessor instanceof Preprocessor, 'The preprocessor is none.', {
      expected: 'a Preprocessor',
      received: preprocessor,
    })
    if (model.outputs.length !== 1)
      throw new ConfigError('A predictor is for a model of one output.', {
        received: `${model.outputs.length} outputs: ${model.outputNames.join(', ')}`,
        remedy: 'Make a model of the output that you want: tf.model({ inputs, outputs: outputs[0] })',
      })
    this.model = model
    this.preprocessor = preprocessor
    this.classes = classes ?? categoriesOf(preprocessor, model.outputs[0]!.shape)
    const width = this.#classNames.length
    if (classes !== undefined && this.givesClasses && classes.length !== width)
      throw new ConfigError('The names of the classes do not match the outputs of the model.', {
        expected: `${width} names`,
        received: classes.length,
      })
    this.#batchSize = batchSize
    this.#queue = new RunQueue((columns) => this.#runModel(columns), batchSize)
  }

  /**
   * Loads what `trainer.save(store)` saved: the model and its fitted preprocessor.
   *
   * @param options - `prefix` as given to `save`; the rest as for the constructor.
   * @throws {StorageError} if there is no such model, or it is damaged.
   */
  static async load<Input extends object = object, Output extends Prediction = Prediction>(
    store: Store,
    options: { prefix?: string } & Omit<PredictorOptions, 'model' | 'preprocessor'> = {},
  ): Promise<Predictor<Input, Output>> {
    const { prefix, ...rest } = withDefaults('Predictor.load', options, {
      prefix: '',
      classes: undefined,
      batchSize: undefined,
    })
    checkStore('What a predictor is loaded from', store)
    await ensureBackend()
    const { model, preprocessor } = await loadBundle(store, prefix)
    return new Predictor<Input, Output>({
      ...rest,
      model,
      ...(preprocessor === undefined ? {} : { preprocessor: Preprocessor.fromJSON(preprocessor as PreprocessorJson) }),
    })
  }

  /** Whether the model ends with probabilities of classes. */
  get givesClasses(): boolean {
    return outputActivation(this.model) !== 'other' && this.model.outputs[0]!.shape.length === 2
  }

  /**
   * Answers rows: one prediction for each, always, in their order.
   *
   * @param rows - As many as you like; none give none.
   * @throws {DataError} if a column is missing, or a row has a gap that the preprocessor does not fill.
   * @throws {ShapeError} if rows do not fit the model. @throws {NumericError} if the model gives NaN.
   */
  predict(rows: readonly Input[], options?: PredictOptions): Promise<Output[]>
  /**
   * The output of the model for columns, or for a tensor: its probabilities or values as they are.
   *
   * @param input - Columns, or the input of the model as a tensor `[rows, ...]`, which is not disposed.
   * @returns `[rows, ...]`, in host memory.
   */
  predict(input: Columns | tf.Tensor, options?: Pick<PredictOptions, 'firstRow'>): Promise<Outputs>
  async predict(input: PredictorInput, options: PredictOptions = {}): Promise<Output[] | Outputs> {
    const { firstRow, topK } = withDefaults('Predictor.predict', options, { firstRow: 0, topK: 3 })
    checkWhole('topK', topK)
    if (Array.isArray(input) && input.length === 0) return []
    const outputs = await this.#outputs(await this.#columns(input, firstRow), firstRow)
    return Array.isArray(input) ? this.#answers(outputs, topK) : outputs
  }

  /**
   * Answers rows as they come, in their order. It reads on only when the answers so far were taken, and never holds more
   * than one batch.
   *
   * @throws {DataError} at the first row that cannot be answered, with its number. Answers before its batch were given.
   * @example
   * for await (const { value } of predictor.stream(sensor())) console.log(value)
   */
  async *stream(
    rows: Iterable<Input> | AsyncIterable<Input> | Dataset,
    options: StreamOptions = {},
  ): AsyncGenerator<Output, void, undefined> {
    const { batchSize, topK } = withDefaults('Predictor.stream', options, { batchSize: this.#batchSize, topK: 3 })
    checkWhole('topK', topK)
    checkWhole('batchSize of a stream', batchSize)
    let firstRow = 0
    for await (const columns of inBatches(rows, { size: batchSize, exact: this.#isExact })) {
      yield* this.#answers(await this.#outputs(columns, firstRow), topK)
      firstRow += rowsOf(columns)
    }
  }

  /**
   * What speaks for the answers: of every row, with `attribution`, how much each column has to do with it.
   *
   * @param options - `attribution`: by integrated gradients; true for the defaults.
   * @throws {ConfigError} if the output of the model cannot be differentiated by its input.
   * @example
   * const [{ class: name, attribution }] = await predictor.explain([patient], { attribution: true })
   * console.table(attribution.columns)
   */
  explain(
    input: readonly Input[] | Columns | tf.Tensor,
    options: PredictOptions & { attribution: true | AttributionOptions<Input> },
  ): Promise<(Output & Attributed)[]>
  /**
   * The most probable class of every row, and the next ones.
   *
   * @throws {ConfigError} if the model does not end with probabilities of classes.
   */
  explain(input: readonly Input[] | Columns | tf.Tensor, options?: PredictOptions): Promise<ClassPrediction[]>
  async explain(
    input: PredictorInput,
    options: PredictOptions & { attribution?: true | AttributionOptions<Input> } = {},
  ): Promise<Prediction[]> {
    const { firstRow, topK, attribution } = withDefaults('Predictor.explain', options, {
      firstRow: 0,
      topK: 3,
      attribution: undefined,
    })
    checkWhole('topK', topK)
    if (!this.givesClasses && !attribution)
      throw new ConfigError('The model gives no probabilities of classes, so there is none to explain.', {
        expected: 'a last layer [rows, classes] with softmax or sigmoid',
        remedy: 'Use predict(), or ask for the attribution of the value: explain(rows, { attribution: true })',
      })
    const columns = await this.#columns(input, firstRow)
    if (rowsOf(columns) === 0) return []
    const outputs = await this.#outputs(columns, firstRow)
    const answers = this.#answers(outputs, topK)
    if (!attribution) return answers
    const { baseline, ...how } = withDefaults('attribution', attribution === true ? {} : attribution, {
      baseline: undefined,
      steps: 64,
      of: undefined,
    })
    const compared = baseline && this.#prepare(await this.#columns([baseline], 0), 0)
    if (compared) assertNumbers(compared, { firstRow: 0, sourcesOf: (name) => this.#sources(columns)[name] })
    const answered = {
      model: this.model,
      prepared: this.#prepare(columns, firstRow),
      outputs,
      sources: this.#sources(columns),
      classes: this.givesClasses ? this.#classNames : undefined,
      baseline: compared,
    }
    const attributions = await this.#queue.exclusively(async () => {
      if (this.#disposed) throw disposedError()
      return attribute(answered, how)
    })
    return answers.map((answer, row) => ({ ...answer, attribution: attributions[row]! }))
  }

  /** Frees the model. Calls that wait are rejected with a StateError. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#queue.clear(disposedError())
    this.#engine?.engine.dispose()
    this.model.dispose()
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  async #outputs(columns: Columns, firstRow: number): Promise<Outputs> {
    if (this.#disposed) throw disposedError()
    await ensureBackend()
    const prepared = this.#prepare(columns, firstRow)
    assertNumbers(prepared, { firstRow, sourcesOf: (name) => this.#sources(columns)[name] })
    const outputs = await this.#queue.run(prepared)
    const bad = outputs.data.findIndex(Number.isNaN)
    if (bad < 0) return outputs
    throw new NumericError(
      `The model gives NaN for row ${firstRow + Math.floor((bad * outputs.shape[0]!) / outputs.data.length)}.`,
      {
        remedy:
          'Look at the weights, which may come from a training that diverged, and for values far from those trained on',
      },
    )
  }

  /** Numbers in rows reach a preprocessor as they are: it knows the precision of those that it was fitted on. */
  get #isExact(): boolean {
    return this.preprocessor?.knowsPrecision ?? false
  }

  #columns(input: PredictorInput, firstRow: number): Promise<Columns> {
    return columnsOfInput(input, { firstRow, exact: this.#isExact })
  }

  /** The columns that the model reads. */
  #prepare(columns: Columns, firstRow: number): Columns {
    const { model, preprocessor } = this
    return modelColumns(
      model,
      preprocessor ? preprocessor.transformColumns(columns, { only: this.#only(columns), firstRow }) : columns,
    )
  }

  /** Where the values that the model reads come from. */
  #sources(columns: Columns): Record<string, string[]> {
    const preprocessor = this.preprocessor ?? new Preprocessor([])
    return preprocessor.sources(gatherRows(columns, [0]), { only: this.#only(columns) })
  }

  /** Steps on other columns, such as the target, are left out: they are not there to predict on. */
  #only(columns: Columns): string[] {
    return [...Object.keys(columns), 'x', ...this.model.inputNames]
  }

  /** A name for every class that the model gives a probability of. */
  get #classNames(): string[] {
    const width = this.model.outputs[0]!.shape.at(-1) ?? 1
    return Array.from({ length: Math.max(2, width) }, (_, index) => this.classes?.[index] ?? String(index))
  }

  #answers(outputs: Outputs, topK: number): Output[] {
    const answers = this.givesClasses
      ? classPredictions(outputs, this.#classNames, topK)
      : valuePredictions(outputs, this.preprocessor)
    // What the caller says that the model gives.
    return answers as Prediction[] as Output[]
  }

  async #runModel(columns: Columns): Promise<Outputs> {
    if (this.#disposed) throw disposedError()
    const { name } = await ensureBackend()
    return runModel(this.model, columns, { batchSize: this.#batchSize, engine: this.#engineOn(name) })
  }

  #engineOn(backend: BackendName): Engine {
    if (this.#engine?.backend !== backend) {
      this.#engine?.engine.dispose()
      this.#engine = { engine: createEngine('auto'), backend }
    }
    return this.#engine.engine
  }
}

const disposedError = () => new StateError('The predictor was used after dispose().')
