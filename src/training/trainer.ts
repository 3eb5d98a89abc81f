/**
 * Trains a model over epochs and reports what happened.
 *
 * Owns: the order of epochs and steps, callbacks, validation, early stop, resume.
 * Leaves: where the work runs to the strategy, gradients to the engine, updates to the optimizer.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { type AssistName, ensureBackend, loadAssist } from '../backends/index.js'
import { checkWhole, StateError, withDefaults } from '../core/index.js'
import { checkDataset, Dataset, rowsOf } from '../data/index.js'
import type { EngineChoice } from '../engine/index.js'
import { saveBundle, serializeTopology } from '../models/index.js'
import {
  describeOptimizer,
  type OptimizerDescription,
  type OptimizerName,
  resolveOptimizer,
} from '../optimizers/index.js'
import type { Augmentation } from '../preprocess/index.js'
import { checkStore, type Store } from '../storage/index.js'
import type { CustomStep, LossFunction } from './batch-loss.js'
import type { Callback } from './callback.js'
import { checkFit, checkTrainerOptions } from './check-trainer.js'
import { FitLoop } from './fit-loop.js'
import type { History } from './history.js'
import type { Crew, TrainingJob } from './job.js'
import type { LocalParts } from './local-parts.js'
import { means } from './means.js'
import { prepareColumns } from './prepare-data.js'
import type { Profile } from './profile.js'
import { profileStep } from './profile-step.js'
import { functionsFromSetup, loadSetup, type ModelMaker, makeModel } from './setup-module.js'
import { SingleWorker } from './single-worker.js'
import type { DistributedStrategy } from './strategy.js'
import { describeTfjsOptimizer, isTfjsOptimizer } from './tfjs-optimizer.js'

/** What the trainer asks of a preprocessor. */
export interface DataPreparation {
  /** Whether it has learned what it needs; otherwise the trainer calls `fit` first. */
  readonly fitted: boolean
  /** Learns from the training set. */
  fit(train: Dataset): Promise<unknown>
  /** The rows as the model is to get them. */
  transform(dataset: Dataset): Dataset
  /** How rows to train on are changed at random in each epoch, where they are. */
  readonly augmentation?: Augmentation | undefined
  /** The fitted state, which is saved with the model. */
  toJSON(): unknown
}

/** What a trainer is made of. */
export interface TrainerOptions {
  /**
   * The model, a function that makes it once a backend is there (with one worker only), or the name of an export of
   * `setup` that is one or makes one.
   */
  model: tfl.LayersModel | ModelMaker | string
  /** A loss by name, an export of `setup`, or a function `(truth, output) => [batch]` (with one worker only). */
  loss?: string | LossFunction
  /** A step of your own instead of a loss: a function (with one worker only) or the name of an export of `setup`. */
  step?: CustomStep | string
  /**
   * One of dcml's, its name, or one of tfjs, which runs eagerly, with one worker only, and keeps its state from one
   * `fit` to the next.
   * @default 'adam'
   */
  optimizer?: OptimizerDescription | OptimizerName | tf.Optimizer
  /** Names of metrics, or of those that `step` returns. @default [] */
  metrics?: string[]
  /** Prepares the data; fitted on the training data when it is not yet, and saved with the model. */
  preprocessor?: DataPreparation
  /** @default new SingleWorker() */
  strategy?: DistributedStrategy
  /** @default 'auto' */
  engine?: EngineChoice
  /**
   * 'blas' runs large matrix products in a BLAS of this machine: in Node, with the package koffi, on the wasm backend.
   * @default off
   */
  assist?: AssistName
  /** @default [] */
  callbacks?: Callback[]
  /** Module that every worker loads: custom layers, models, losses and steps by named export. */
  setup?: URL | string
  /** Integer from 0 to 2^32 - 1. The same seed gives the same batches and the same dropout. @default 0 */
  seed?: number
  /** Largest norm of the global gradient; longer ones are shortened to it. @default off */
  clipNorm?: number
  /** Batches whose gradients are added up before one update. @default 1 */
  accumulateSteps?: number
  /** @default 'float32' */
  precision?: 'float32'
  /** Computes each batch in a fixed number of parts, so that the weights do not depend on the number of workers. */
  deterministic?: { logicalShards: number }
  /**
   * Batch normalization takes mean and variance over the rows of all workers, not of each. Runs eagerly, on one worker or
   * on threads over `sharedMemory()`.
   * @default false
   */
  syncBatchNorm?: boolean
  /** Names of the columns. @default { features: 'x', target: 'y' } */
  columns?: { features?: string; target?: string }
}

/** How to fit. */
export interface FitOptions {
  /** @default 1 */
  epochs?: number
  /** Rows of the global batch. @default 32 */
  batchSize?: number
  validation?: Dataset
  /** Column with the weight of each row. */
  sampleWeight?: string
  /** Goes on from the newest checkpoint in this store. */
  resumeFrom?: Store
  /** Stops after the steps under way, with a checkpoint when there is a checkpoint callback. */
  signal?: AbortSignal
  /** New order in every epoch. Streams come as they are. @default true */
  shuffle?: boolean
}

/** How to profile. */
export interface ProfileOptions {
  /** Rows of the step; with several workers, those of one of them. @default 32 */
  batchSize?: number
  /** Times that each call is measured; the shortest counts. @default 20 */
  repeats?: number
  /** Column with the weight of each row. */
  sampleWeight?: string
}

/**
 * Trains a TensorFlow.js model.
 *
 * @example
 * const trainer = new Trainer({ model, loss: 'sparseCategoricalCrossentropy', optimizer: adam(), metrics: ['accuracy'] })
 * const history = await trainer.fit(train, { epochs: 5, validation: test })
 */
export class Trainer {
  readonly #options: TrainerOptions
  readonly #strategy: DistributedStrategy
  #model: tfl.LayersModel | undefined
  #busy = false

  constructor(options: TrainerOptions) {
    checkTrainerOptions(options)
    this.#options = options
    this.#strategy = options.strategy ?? new SingleWorker()
    if (typeof options.model === 'object') this.#model = options.model
  }

  /** The model, with the weights of the last finished epoch. */
  get model(): tfl.LayersModel {
    if (!this.#model)
      throw new StateError('The model is not built yet.', { remedy: 'Await fit or evaluate before reading it' })
    return this.#model
  }

  /**
   * Trains.
   *
   * @throws {NumericError} if the loss stops being a number. @throws {WorkerError} if a worker throws or dies.
   * @throws {BackendUnavailableError} if the assist asked for is not here.
   * @throws {DataError | ShapeError | ConfigError} if data, model and options do not fit together.
   */
  async fit(train: Dataset, options: FitOptions = {}): Promise<History> {
    checkFit(train, options)
    return this.#exclusively(async () => {
      const { preprocessor } = this.#options
      if (preprocessor && !preprocessor.fitted) await preprocessor.fit(train)
      return this.#withCrew(options.sampleWeight, async (crew, job) => {
        const loop = new FitLoop({
          crew,
          job,
          model: this.model,
          callbacks: this.#options.callbacks ?? [],
          options,
          accumulateSteps: this.#options.accumulateSteps ?? 1,
          preprocessor: preprocessor?.toJSON(),
          augmentation: preprocessor?.augmentation,
        })
        return loop.run(train, (dataset, part) => this.#prepare(dataset, part))
      })
    })
  }

  /**
   * Loss and metrics on a dataset, every row counted once.
   *
   * @returns Means by name, `loss` among them.
   */
  async evaluate(dataset: Dataset, options: { batchSize?: number } = {}): Promise<Record<string, number>> {
    const { batchSize } = withDefaults('Trainer.evaluate', options, { batchSize: 256 })
    checkDataset('What the trainer is to evaluate', dataset)
    checkWhole('batchSize', batchSize)
    return this.#exclusively(() =>
      this.#withCrew(undefined, (crew, job) =>
        crew.lead(
          async () => {
            const columns = prepareColumns(
              await (await this.#prepare(dataset)).columns(),
              this.model,
              job,
              'evaluation',
            )
            await crew.setData('evaluation', columns, { reused: false })
            return rowsOf(columns)
          },
          async (rows) => means(await crew.evaluate({ data: 'evaluation', from: 0, to: rows, batchSize }), job.metrics),
        ),
      ),
    )
  }

  /**
   * Times one training step on the first rows of a dataset, kernel by kernel, on one worker in this thread. Trains
   * nothing: the model stays as it is.
   *
   * @throws {ConfigError} if the step cannot be captured, with the reason.
   * @example
   * console.log(String(await trainer.profile(train, { batchSize: 32 })))
   */
  async profile(train: Dataset, options: ProfileOptions = {}): Promise<Profile> {
    const { batchSize, repeats, sampleWeight } = withDefaults('Trainer.profile', options, {
      batchSize: 32,
      repeats: 20,
      sampleWeight: undefined,
    })
    checkWhole('batchSize', batchSize)
    checkWhole('repeats', repeats)
    return this.#exclusively(async () => {
      const { job, local } = await this.#describe(sampleWeight)
      const prepared = this.#options.preprocessor?.transform(train) ?? train
      const columns = prepareColumns(await prepared.take(batchSize).columns(), local.model, job, 'training')
      return profileStep(job, local, columns, repeats)
    })
  }

  /** Saves model and preprocessor, to be read by `Predictor.load`. In a group of processes that of rank 0 does it. */
  async save(store: Store, prefix = ''): Promise<void> {
    checkStore('What the trainer is to save to', store)
    if (this.#strategy.group.rank > 0) return
    const { preprocessor } = this.#options
    await saveBundle(
      store,
      { model: this.model, ...(preprocessor ? { preprocessor: preprocessor.toJSON() } : {}) },
      prefix,
    )
  }

  /**
   * A trainer of the same options but for some. It shares the strategy, and the model where this one has it already.
   *
   * @example
   * const slower = trainer.with(() => ({ optimizer: adam({ learningRate: 1e-4 }) }))
   */
  with(change: (options: Readonly<TrainerOptions>) => Partial<TrainerOptions>): Trainer {
    const options = { ...this.#options, strategy: this.#strategy, ...(this.#model ? { model: this.#model } : {}) }
    return new Trainer({ ...options, ...change(options) })
  }

  /** Gives back what the strategy holds. */
  async close(): Promise<void> {
    await this.#strategy.close()
  }

  /** Runs the preprocessor: once, over data in memory, so that no epoch does it again; in passing, over a stream. */
  async #prepare(dataset: Dataset, part?: (dataset: Dataset) => Dataset): Promise<Dataset> {
    const { preprocessor } = this.#options
    if (!preprocessor) return dataset
    const prepared = part ? part(dataset) : preprocessor.transform(dataset)
    return dataset.size === undefined ? prepared : Dataset.fromArrays(await prepared.columns())
  }

  async #exclusively<T>(run: () => Promise<T>): Promise<T> {
    if (this.#busy)
      throw new StateError('The trainer is busy.', { remedy: 'Await the call before, or use a second trainer' })
    this.#busy = true
    try {
      return await run()
    } finally {
      this.#busy = false
    }
  }

  async #withCrew<T>(weight: string | undefined, run: (crew: Crew, job: TrainingJob) => Promise<T>): Promise<T> {
    const { job, local } = await this.#describe(weight)
    const crew = await this.#strategy.start(job, local)
    try {
      return await run(crew, job)
    } finally {
      await crew.close()
    }
  }

  /** The job, and the objects that stay in this thread. */
  async #describe(weight: string | undefined): Promise<{ job: TrainingJob; local: LocalParts }> {
    const { name: backend } = await ensureBackend()
    // Here too, when the workers are elsewhere: what is missing shows before any of them starts.
    if (this.#options.assist !== undefined) await loadAssist(this.#options.assist)
    const { options, model, setup } = await this.#build()
    const named = typeof options.step === 'string' ? options.step : undefined
    const { optimizer = 'adam' } = options
    const job: TrainingJob = {
      model: typeof options.model === 'string' ? { exportName: options.model } : { topology: serializeTopology(model) },
      metrics: options.metrics ?? [],
      optimizer: isTfjsOptimizer(optimizer)
        ? describeTfjsOptimizer(optimizer)
        : describeOptimizer(resolveOptimizer(optimizer)),
      engine: options.engine ?? 'auto',
      seed: options.seed ?? 0,
      backend,
      columns: {
        features: options.columns?.features ?? 'x',
        target: options.columns?.target ?? 'y',
        ...(weight === undefined ? {} : { weight }),
      },
    }
    if (options.assist !== undefined) job.assist = options.assist
    if (options.setup !== undefined) job.setup = String(options.setup)
    if (typeof options.loss === 'string') job.loss = options.loss
    if (options.step !== undefined) job.step = named ?? '(function)'
    if (options.clipNorm !== undefined) job.clipNorm = options.clipNorm
    if (options.syncBatchNorm) job.syncBatchNorm = true
    if (options.deterministic) job.logicalShards = options.deterministic.logicalShards
    const local = {
      model,
      ...functionsFromSetup(setup, { ...(named ? { step: named } : {}), ...(job.loss ? { loss: job.loss } : {}) }),
      ...(typeof options.step === 'function' ? { step: options.step } : {}),
      ...(typeof options.loss === 'function' ? { loss: options.loss } : {}),
      ...(isTfjsOptimizer(optimizer) ? { optimizer } : {}),
      hasLiveFunctions: [options.model, options.step, options.loss].some((part) => typeof part === 'function'),
    }
    return { job, local }
  }

  async #build() {
    const options = this.#options
    const setup = await loadSetup(options.setup === undefined ? undefined : String(options.setup))
    const model = this.#model ?? (await makeModel(options.model, setup))
    this.#model = model
    return { options, model, setup }
  }
}
