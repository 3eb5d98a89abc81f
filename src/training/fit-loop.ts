/**
 * The loop of one `fit`: epochs, chunks of steps, callbacks, validation.
 *
 * Owns: position in the data, sums of the epoch, the decision to stop.
 * Leaves: the steps themselves to the crew.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { ConfigError, nextTurn } from '../core/index.js'
import { type Columns, type Dataset, rowsOf } from '../data/index.js'
import { namedWeights, writeWeights } from '../models/index.js'
import type { Augmentation } from '../preprocess/index.js'
import type { Callback, FitState } from './callback.js'
import { type Checkpoint, encodeCheckpoint, type Position, readLatestCheckpoint } from './checkpoint.js'
import { Commits } from './commits.js'
import type { EpochRecord, History } from './history.js'
import type { Crew, StepRecord, Sums, TrainingJob } from './job.js'
import { means } from './means.js'
import { passingBatches } from './passing-batches.js'
import { prepareColumns } from './prepare-data.js'
import { epochOrder, rowNumbers } from './rows.js'
import type { FitOptions } from './trainer.js'

// Long enough to hide the cost of a message to the workers, short enough for a lively bar and a prompt stop.
const CHUNK_MS = 50

/** What a loop works with. */
export interface FitParts {
  crew: Crew
  job: TrainingJob
  model: tfl.LayersModel
  callbacks: readonly Callback[]
  options: FitOptions
  accumulateSteps: number
  preprocessor: unknown
  augmentation: Augmentation | undefined
}

/** What is trained on. */
interface LoadedData {
  train: Dataset
  /** Undefined for batches that workers get one by one: those of a stream, or with augmentation. */
  rows: number | undefined
  /** Undefined without validation. */
  validationRows: number | undefined
}

/** Runs one `fit`. */
export class FitLoop {
  readonly #parts: FitParts
  readonly #history: History = { epochs: [], engine: 'eager' }
  readonly #epochs: number
  readonly #batchSize: number
  readonly #rowsPerStep: number
  #epoch = 0
  #step = 0
  #stepInEpoch = 0
  /** Steps that the crew is asked for at a time. */
  #chunk = 1
  #stepsPerEpoch: number | undefined
  #sums: Sums
  #logs: Record<string, number> & { loss: number } = { loss: Number.NaN }
  #stopReason: string | undefined
  readonly #commits: Commits

  constructor(parts: FitParts) {
    this.#parts = parts
    this.#commits = new Commits({
      elastic: parts.crew.elastic,
      history: this.#history,
      read: () => this.#checkpoint(),
      goBack: (to) => this.#goTo(to),
    })
    this.#epochs = parts.options.epochs ?? 1
    this.#batchSize = parts.options.batchSize ?? 32
    this.#rowsPerStep = this.#batchSize * parts.accumulateSteps
    this.#sums = this.#noSums()
  }

  /** @param prepare - Runs the preprocessor over a dataset, or the part of it that is given. */
  async run(
    train: Dataset,
    prepare: (dataset: Dataset, part?: Augmentation['prepare']) => Promise<Dataset>,
  ): Promise<History> {
    const { crew, callbacks, options, augmentation } = this.#parts
    try {
      return await crew.lead(
        async () => {
          const prepared = await prepare(train, augmentation?.prepare)
          const rows = augmentation ? undefined : await this.#load('train', 'training', prepared, true)
          const { validation } = options
          const validationRows =
            validation && (await this.#load('validation', 'validation', await prepare(validation), this.#epochs > 1))
          if (validation && validationRows === undefined)
            throw new ConfigError('Validation data must not be a stream of unknown length.', {
              remedy: 'Pass Dataset.fromArrays(await dataset.columns())',
            })
          return { train: prepared, rows, validationRows }
        },
        (data) => this.#course(data),
      )
    } catch (error) {
      if (crew.leads) for (const callback of callbacks) await callback.onException?.(error, this.#state())
      throw error
    }
  }

  async #course({ train, rows, validationRows }: LoadedData): Promise<History> {
    const { options } = this.#parts
    const checkpoint = options.resumeFrom && (await readLatestCheckpoint(options.resumeFrom))
    await this.#commits.surviving(async (isStart) => {
      if (isStart) {
        if (checkpoint) await this.#resume(checkpoint)
        await this.#commits.commit()
        await this.#call('onFitStart')
      }
      while (this.#epoch < this.#epochs && this.#stopReason === undefined) {
        await this.#runEpoch(train, rows, validationRows)
        if (options.signal?.aborted) this.#stopReason ??= 'aborted'
      }
      await this.#conclude()
    })
    await this.#call('onFitEnd')
    return this.#history
  }

  async #conclude(): Promise<void> {
    const { crew } = this.#parts
    await this.#refreshModel()
    const { name, reason, assist } = await crew.engine()
    this.#history.engine = name
    if (reason !== undefined) this.#history.engineReason = reason
    if (assist !== undefined) this.#history.assist = assist
    this.#history.workers = await crew.usage()
    if (this.#stopReason !== undefined) this.#history.stopReason = this.#stopReason
  }

  async #runEpoch(train: Dataset, rows: number | undefined, validationRows: number | undefined): Promise<void> {
    const { options } = this.#parts
    const startedMs = performance.now()
    const weightBefore = this.#sums.weight
    await this.#call('onEpochStart')
    const finished = await (rows === undefined
      ? this.#passingSteps(train, options.shuffle ?? true)
      : this.#residentSteps(rows, options.shuffle ?? true))
    if (!finished) return
    const seconds = (performance.now() - startedMs) / 1000
    await this.#refreshModel()
    const record: EpochRecord = {
      epoch: this.#epoch,
      ...means(this.#sums, this.#parts.job.metrics),
      seconds,
      samplesPerSecond: (this.#sums.weight - weightBefore) / seconds,
    }
    this.#history.epochs.push(record)
    // From here on a checkpoint stands at the start of the next epoch.
    this.#epoch++
    this.#stepInEpoch = 0
    this.#sums = this.#noSums()
    if (validationRows !== undefined) {
      const evaluated = await this.#parts.crew.evaluate({
        data: 'validation',
        from: 0,
        to: validationRows,
        batchSize: Math.max(256, this.#batchSize),
      })
      for (const [name, value] of Object.entries(means(evaluated, this.#parts.job.metrics)))
        record[`val_${name}`] = value
      await this.#callEpoch('onValidationEnd', record)
    }
    await this.#callEpoch('onEpochEnd', record)
    await this.#commits.commit()
  }

  /** Runs the rest of an epoch over data that the workers hold. Returns false if it was stopped before its end. */
  async #residentSteps(rows: number, shuffle: boolean): Promise<boolean> {
    const { crew, job, options, accumulateSteps } = this.#parts
    const rowsPerStep = this.#rowsPerStep
    this.#stepsPerEpoch = Math.ceil(rows / rowsPerStep)
    const order = epochOrder(rows, { seed: job.seed, epoch: this.#epoch, shuffle })
    while (this.#stepInEpoch < this.#stepsPerEpoch) {
      const startedMs = performance.now()
      const from = this.#stepInEpoch * rowsPerStep
      const records = await crew.train({
        data: 'train',
        order,
        from,
        to: Math.min(rows, from + Math.min(this.#chunk, this.#commits.stepsLeft(this.#step)) * rowsPerStep),
        batchSize: this.#batchSize,
        accumulateSteps,
        firstStep: this.#step + 1,
      })
      this.#fitChunk((performance.now() - startedMs) / records.length)
      await this.#report(records)
      if (this.#isStopped(options.signal)) return this.#stepInEpoch === this.#stepsPerEpoch
      if (this.#commits.stepsLeft(this.#step) <= 0) await this.#commits.commit()
      await nextTurn()
    }
    return true
  }

  /** Runs the rest of an epoch batch by batch. Returns false if it was stopped before its end. */
  async #passingSteps(train: Dataset, shuffle: boolean): Promise<boolean> {
    const { crew, job, options, augmentation } = this.#parts
    const size = this.#rowsPerStep
    if (train.size !== undefined) this.#stepsPerEpoch = Math.ceil(train.size / size)
    const { seed } = job
    const skip = this.#stepInEpoch
    // Those of an elastic group stop to commit their state after any step.
    const steps = () => (crew.elastic ? 1 : this.#chunk)
    const batches = passingBatches(train, augmentation, { size, skip, steps, seed, epoch: this.#epoch, shuffle })
    try {
      for (let next = await batches.next(); !next.done; ) {
        const startedMs = performance.now()
        const training = await this.#startSteps(next.value)
        // The next batch is made while other threads train on this one; what fails there comes after these steps.
        const following = batches.next()
        following.catch(() => {})
        const records = await training.records
        this.#fitChunk((performance.now() - startedMs) / records.length)
        await this.#report(records)
        next = await following
        if (this.#isStopped(options.signal)) return next.done === true
        if (this.#commits.stepsLeft(this.#step) <= 0) await this.#commits.commit()
        await nextTurn()
      }
    } finally {
      await batches.return(undefined)
    }
    if (this.#sums.weight === 0)
      throw new ConfigError('The stream of training data gave no rows.', {
        remedy: 'Make sure that it starts anew each time it is asked for',
      })
    return true
  }

  /** Sets how many steps come next, by how long one took; only one, where a callback is to see each at its end. */
  #fitChunk(msPerStep: number): void {
    if (this.#parts.callbacks.some((callback) => callback.onStepEnd && !callback.relaxed)) return
    this.#chunk = Math.max(1, Math.min(this.#chunk * 2, Math.floor(CHUNK_MS / msPerStep)))
  }

  /** Gives the workers a batch and has them begin to train on it. */
  async #startSteps(batch: Columns): Promise<{ records: Promise<StepRecord[]> }> {
    const { crew, job, model, accumulateSteps } = this.#parts
    const columns = prepareColumns(batch, model, job, 'training')
    const rows = rowsOf(columns)
    await crew.setData('train', columns, { reused: false })
    const range = { data: 'train', order: rowNumbers(rows), from: 0, to: rows, batchSize: this.#batchSize }
    return { records: crew.train({ ...range, accumulateSteps, firstStep: this.#step + 1 }) }
  }

  async #report(records: readonly StepRecord[]): Promise<void> {
    for (const record of records) {
      this.#step = record.step
      this.#stepInEpoch++
      this.#sums.loss += record.loss
      this.#sums.weight += record.weight
      record.metrics.forEach((sum, i) => {
        this.#sums.metrics[i]! += sum
      })
      this.#logs = means(record, this.#parts.job.metrics)
      for (const callback of this.#parts.callbacks) await callback.onStepEnd?.({ ...this.#state(), record })
    }
  }

  #isStopped(signal: AbortSignal | undefined): boolean {
    if (signal?.aborted) this.#stopReason ??= 'aborted'
    return this.#stopReason !== undefined
  }

  /** Gives the workers a dataset. Returns its rows; undefined for a stream. */
  async #load(name: string, what: string, dataset: Dataset, reused: boolean): Promise<number | undefined> {
    if (dataset.size === undefined) return undefined
    const { crew, model, job } = this.#parts
    const columns = prepareColumns(await dataset.columns(), model, job, what)
    await crew.setData(name, columns, { reused })
    return rowsOf(columns)
  }

  async #resume(checkpoint: Checkpoint): Promise<void> {
    const { job } = this.#parts
    if (checkpoint.position.seed !== job.seed)
      throw new ConfigError('The checkpoint was made with another seed.', {
        expected: checkpoint.position.seed,
        received: job.seed,
      })
    const { stepInEpoch, rowsPerStep } = checkpoint.position
    if (stepInEpoch > 0 && rowsPerStep !== this.#rowsPerStep)
      throw new ConfigError('The checkpoint stands in the middle of an epoch of larger or smaller steps.', {
        expected: `batchSize times accumulateSteps of ${rowsPerStep}`,
        received: this.#rowsPerStep,
        remedy: 'Resume with the same batchSize, or from a checkpoint of the end of an epoch',
      })
    await this.#goTo(checkpoint)
    await this.#refreshModel()
  }

  /** Puts the workers and the loop where a checkpoint stands, which stays as it is. */
  async #goTo({ state, position: { epoch, stepInEpoch, sums, epochs } }: Checkpoint): Promise<void> {
    await this.#parts.crew.writeState(state)
    this.#step = state.step
    this.#epoch = epoch
    this.#stepInEpoch = stepInEpoch
    this.#sums = { ...sums, metrics: [...sums.metrics] }
    this.#history.epochs = [...epochs]
  }

  /** Brings the caller's model up to date with the workers. */
  async #refreshModel(): Promise<void> {
    this.#showWeights(await this.#parts.crew.readWeights())
  }

  #showWeights(values: Record<string, Float32Array>): void {
    if (!this.#parts.crew.remote) return
    for (const { name, variable } of namedWeights(this.#parts.model)) {
      const saved = values[name]
      if (saved) writeWeights(variable as tf.Variable, saved)
    }
  }

  async #checkpoint(): Promise<Checkpoint> {
    const state = await this.#parts.crew.readState()
    this.#showWeights({ ...state.parameters, ...state.buffers })
    const position: Position = {
      epoch: this.#epoch,
      stepInEpoch: this.#stepInEpoch,
      rowsPerStep: this.#rowsPerStep,
      sums: { ...this.#sums, metrics: [...this.#sums.metrics] },
      epochs: [...this.#history.epochs],
      seed: this.#parts.job.seed,
    }
    if (this.#parts.preprocessor !== undefined) position.preprocessor = this.#parts.preprocessor
    return { state, position }
  }

  #state(): FitState {
    return {
      model: this.#parts.model,
      epoch: this.#epoch,
      epochs: this.#epochs,
      step: this.#step,
      stepsPerEpoch: this.#stepsPerEpoch,
      history: this.#history,
      logs: this.#logs,
      loss: this.#logs.loss,
      stop: (reason = 'stopped by a callback') => {
        this.#stopReason ??= reason
      },
      snapshot: async () => encodeCheckpoint(await this.#checkpoint()),
    }
  }

  async #call(hook: 'onFitStart' | 'onEpochStart' | 'onFitEnd'): Promise<void> {
    for (const callback of this.#parts.callbacks) await callback[hook]?.(this.#state())
  }

  async #callEpoch(hook: 'onEpochEnd' | 'onValidationEnd', record: EpochRecord): Promise<void> {
    const state = { ...this.#state(), epoch: record.epoch, record }
    for (const callback of this.#parts.callbacks) await callback[hook]?.(state)
  }

  #noSums(): Sums {
    return { loss: 0, weight: 0, metrics: this.#parts.job.metrics.map(() => 0) }
  }
}
