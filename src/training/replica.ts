/**
 * One worker's copy of the model, and the loop that trains it.
 *
 * Owns: the order of a step (gradients, reduction, mean, clip, update), the rows that this worker computes.
 * Leaves: reduction and update to the strategy, gradients to the engine, what is saved to the state, epochs and
 * callbacks to the trainer.
 * @module
 */

import { type BlasAssist, loadAssist } from '../backends/index.js'
import { ConfigError } from '../core/index.js'
import {
  type Batch,
  createEngine,
  createLayout,
  type Engine,
  type FlatFloats,
  FlatParameters,
  type GradientBuckets,
  handOver,
  type LoweredStep,
  type RunInputs,
} from '../engine/index.js'
import { namedWeights, type SynchronizedBatchNorm, seedRandomLayers, synchronizeBatchNorm } from '../models/index.js'
import { type Optimizer, resolveOptimizer, type Slots, sumOfSquares, updateCall } from '../optimizers/index.js'
import { type BatchLossMaker, createBatchLoss } from './batch-loss.js'
import type {
  Crew,
  EngineReport,
  EvaluateRange,
  SharedColumns,
  StepRecord,
  Sums,
  TrainingJob,
  TrainingState,
  TrainRange,
  WorkerUsage,
} from './job.js'
import type { LocalParts } from './local-parts.js'
import { ReplicaData } from './replica-data.js'
import { ReplicaState } from './replica-state.js'
import { splitRows, weightOfRows } from './rows.js'
import { checkLoss, recordOf } from './step-record.js'
import type { BatchBuckets, DistributedStrategy, ShardGradients } from './strategy.js'
import { TfjsOptimizer } from './tfjs-optimizer.js'

/** A model that trains in step with its peers. */
export class Replica implements Crew {
  readonly remote = false
  readonly leads = true
  readonly #job: TrainingJob
  readonly #strategy: DistributedStrategy
  readonly #parameters: FlatParameters
  readonly #optimizer: Optimizer
  readonly #engine: Engine
  readonly #assist: BlasAssist | undefined
  readonly #batchLoss: BatchLossMaker
  readonly #random: ReturnType<typeof seedRandomLayers>
  readonly #batchNorm?: SynchronizedBatchNorm
  readonly #data = new ReplicaData()
  readonly #slots: Slots
  readonly #state: ReplicaState
  /** What follows the gradients, where the engine may run it by itself. */
  readonly #lowered: LoweredStep | undefined
  /** Who takes gradients while they are computed. */
  readonly #buckets: BatchBuckets | undefined
  #step = 0

  /** Makes a replica on the buffers that its strategy gives it. */
  static async create(job: TrainingJob, local: LocalParts, strategy: DistributedStrategy): Promise<Replica> {
    const trainable = namedWeights(local.model).filter((weight) => weight.trainable)
    if (trainable.length === 0)
      throw new ConfigError('The model has no trainable weights.', {
        remedy: 'Unfreeze a layer or add one with weights',
      })
    const assist = job.assist === undefined ? undefined : await loadAssist(job.assist)
    const buffers = await strategy.createBuffers({
      layout: createLayout(trainable),
      // Loss, weight and metrics ride behind the gradients, so that one reduction carries all.
      totals: 2 + job.metrics.length,
      slots: local.optimizer ? 0 : resolveOptimizer(job.optimizer).slots.length,
      whole: job.logicalShards !== undefined,
    })
    // Read once, their values are there at once: WebGPU cannot be waited for later.
    await Promise.all(trainable.map(({ variable }) => variable.data()))
    return new Replica(job, local, strategy, new FlatParameters(trainable, buffers), buffers.slots, assist)
  }

  private constructor(
    job: TrainingJob,
    local: LocalParts,
    strategy: DistributedStrategy,
    parameters: FlatParameters,
    slots: Slots,
    assist: BlasAssist | undefined,
  ) {
    this.#job = job
    this.#strategy = strategy
    this.#parameters = parameters
    this.#slots = slots
    this.#optimizer = local.optimizer ? new TfjsOptimizer(local.optimizer, parameters) : resolveOptimizer(job.optimizer)
    this.#state = new ReplicaState({ model: local.model, strategy, parameters, optimizer: this.#optimizer, slots })
    // A captured step could not wait for other workers in its midst.
    this.#engine = createEngine(local.optimizer || job.syncBatchNorm ? 'eager' : job.engine, assist)
    this.#assist = assist
    const isLowered = updateCall(this.#optimizer, parameters, slots, { step: 1, gradientScale: 1 }) !== undefined
    this.#lowered = isLowered ? strategy.lower(parameters) : undefined
    this.#buckets = job.logicalShards === undefined ? strategy.gradientBuckets(parameters) : undefined
    this.#batchLoss = createBatchLoss(local.model, job, local)
    this.#random = seedRandomLayers(local.model)
    if (job.syncBatchNorm) this.#batchNorm = synchronizeBatchNorm(local.model, reducerOf(strategy))
    strategy.prepare(this.#optimizer, parameters, slots)
  }

  async lead<L, T>(load: () => Promise<L>, course: (loaded: L) => Promise<T>): Promise<T> {
    return course(await load())
  }

  async setData(name: string, columns: SharedColumns, { reused }: { reused: boolean }): Promise<void> {
    this.#data.set(name, columns, reused)
  }

  async train(range: TrainRange): Promise<StepRecord[]> {
    const records: StepRecord[] = []
    const rowsPerStep = range.batchSize * range.accumulateSteps
    let step = range.firstStep
    for (let from = range.from; from < range.to; ) {
      // Nothing waits before a step has its rows: a stream may use its arrays again.
      const begun = this.#trainSeries(range, from, step)
      const series = begun ? await begun : []
      records.push(...series)
      step += series.length
      from += series.length * rowsPerStep
      if (from >= range.to) break
      records.push(await this.#trainStep(range, from, Math.min(range.to, from + rowsPerStep), step++))
      from += rowsPerStep
    }
    const complete = await this.#strategy.completeRecords(records)
    for (const record of complete) checkLoss(record)
    return complete
  }

  async evaluate({ data, from, to, batchSize }: EvaluateRange): Promise<Sums> {
    const columns = this.#data.get(data)
    const own = splitRows(from, to, this.#strategy.group.rank, this.#strategy.group.size)
    const inOrder = this.#data.selectInOrder(columns, to)
    const sums: Sums = { loss: 0, weight: 0, metrics: this.#job.metrics.map(() => 0) }
    for (let start = own.from; start < own.to; start += batchSize) {
      const end = Math.min(own.to, start + batchSize)
      const weight = weightOfRows(columns, this.#job.columns.weight, { from: start, to: end })
      const selection = { ...inOrder, from: start, to: end }
      const batch = this.#batch(columns, false, { selection, step: 0, firstRow: start })
      const part = await this.#engine.evaluate(batch)
      sums.loss += part.loss
      sums.weight += weight
      part.metrics.forEach((value, i) => {
        sums.metrics[i]! += value
      })
    }
    return sums
  }

  readWeights(): Promise<Record<string, Float32Array>> {
    return this.#state.readWeights()
  }

  async readState(): Promise<TrainingState> {
    return { step: this.#step, ...(await this.#state.read()) }
  }

  async writeState(state: TrainingState): Promise<void> {
    this.#step = state.step
    await this.#state.write(state)
  }

  async writeWeights(weights: Record<string, Float32Array>): Promise<void> {
    this.#state.writeWeights(weights)
  }

  async engine(): Promise<EngineReport> {
    const { name } = this.#engine
    const reason =
      this.#optimizer instanceof TfjsOptimizer
        ? 'A tf.Optimizer runs eagerly.'
        : this.#batchNorm
          ? 'Statistics over all workers are computed eagerly.'
          : this.#engine.reason
    return {
      name,
      ...(reason === undefined ? {} : { reason }),
      ...(this.#assist?.used ? { assist: this.#assist.name } : {}),
    }
  }

  async usage(): Promise<WorkerUsage[]> {
    const { sentBytes, ownBytes, holders } = this.#strategy
    const bytes = (buffers: readonly FlatFloats[]) =>
      4 * buffers.reduce((sum, buffer) => sum + (buffer.device ?? buffer.view()).length, 0)
    const memory = {
      weights: bytes([this.#parameters.weights]) / holders,
      gradients: bytes([this.#parameters.sums]) + this.#engine.passingBytes,
      slots: bytes(this.#slots) / holders,
      strategy: ownBytes,
    }
    return [{ sentBytes, memory }]
  }

  async close(): Promise<void> {
    this.#batchNorm?.restore()
    this.#random.restore()
    this.#engine.dispose()
    this.#parameters.dispose()
    for (const slot of this.#slots) slot.dispose()
    this.#data.dispose()
  }

  /**
   * Begins as many steps as the engine can run in one call. Those that it leaves, `#trainStep` takes one by one.
   *
   * @returns Undefined where it leaves all.
   */
  #trainSeries(range: TrainRange, from: number, step: number): Promise<StepRecord[]> | undefined {
    const { batchSize, order, orderPointer } = range
    const count = Math.floor((range.to - from) / batchSize)
    const { clipNorm, logicalShards, columns: names } = this.#job
    if (!this.#lowered || range.accumulateSteps > 1 || clipNorm !== undefined || logicalShards !== undefined)
      return undefined
    if (count === 0 || names.weight !== undefined) return undefined
    const columns = this.#data.get(range.data)
    const { rank, size } = this.#strategy.group
    const own = splitRows(from, from + batchSize, rank, size)
    const selection = { ...this.#data.select(columns, order, orderPointer), ...own }
    const sums = this.#engine.series?.(
      {
        batch: this.#batch(columns, true, { selection, step, firstRow: own.from - from }),
        count,
        stride: batchSize,
        lowered: this.#lowered,
        update: (at, share) =>
          updateCall(this.#optimizer, this.#parameters, this.#slots, {
            step: at,
            gradientScale: 1 / batchSize,
            range: share,
          })!,
      },
      this.#parameters,
    )
    return sums && this.#recordSeries(sums, step)
  }

  async #recordSeries(sums: Promise<Float32Array[]>, step: number): Promise<StepRecord[]> {
    const records = (await sums).map((totals, i) => recordOf(step + i, totals))
    for (const record of records) checkLoss(record)
    const last = records.at(-1)
    if (!last) return []
    this.#step = last.step
    this.#parameters.publish()
    return records
  }

  async #trainStep(range: TrainRange, from: number, to: number, step: number): Promise<StepRecord> {
    const parameters = this.#parameters
    let totals: Float32Array
    if (this.#job.logicalShards === undefined) {
      await this.#addRows(range, from, to, step, this.#strategy.group)
      totals = await this.#strategy.synchronize(parameters)
    } else {
      const shards = await this.#shardGradients(range, from, to, step, this.#job.logicalShards)
      await this.#strategy.synchronizeShards(shards, this.#job.logicalShards, parameters.gradients)
      totals = parameters.totals
    }
    const record = recordOf(step, totals)
    // Where workers do not talk at every step, one that stopped here would be waited for.
    if (!this.#strategy.completesRecords) checkLoss(record)
    // A window in which every sample has weight 0 moves nothing; nor does a loss that is no number, which is told later
    // where workers do not talk at every step.
    if (record.weight > 0 && Number.isFinite(record.loss)) {
      let gradientScale = 1 / record.weight
      const { clipNorm } = this.#job
      if (clipNorm !== undefined) {
        record.gradientNorm = (await this.#gradientNorm()) * gradientScale
        if (record.gradientNorm > clipNorm) gradientScale *= clipNorm / record.gradientNorm
      }
      await this.#strategy.update(this.#optimizer, parameters, this.#slots, { step, gradientScale })
      parameters.publish()
    }
    this.#step = step
    await this.#strategy.afterStep(step, parameters)
    return record
  }

  /** Adds up the gradients of one worker's (or one shard's) rows of every batch in the window, and its sums. */
  async #addRows(
    range: TrainRange,
    from: number,
    to: number,
    step: number,
    part: { rank: number; size: number },
  ): Promise<void> {
    const columns = this.#data.get(range.data)
    const ordered = this.#data.select(columns, range.order, range.orderPointer)
    const parameters = this.#parameters
    const tail = new Float64Array(2 + this.#job.metrics.length)
    let accumulate = false
    for (let start = from; start < to; start += range.batchSize) {
      const end = Math.min(to, start + range.batchSize)
      const own = splitRows(start, end, part.rank, part.size)
      const buckets = this.#bucketsOf({ isFirst: start === from, isLast: end === to })
      if (own.from === own.to) {
        await this.#batchNorm?.join(() => {
          const selection = { ...ordered, from: start, to: start + 1 }
          const batch = this.#batch(columns, true, { selection, step, firstRow: start - from })
          return this.#engine.gradients(batch, parameters, false, buckets && { ...buckets, ranges: [] })
        })
        if (buckets) await handOver(buckets)
        continue
      }
      const weight = weightOfRows(columns, this.#job.columns.weight, { order: range.order, ...own })
      const selection = { ...ordered, from: own.from, to: own.to }
      // Rows are numbered within the window, so that random layers do not repeat themselves in it.
      const batch = this.#batch(columns, true, { selection, step, firstRow: own.from - from })
      const sums = await this.#engine.gradients(batch, parameters, accumulate, buckets)
      accumulate = true
      tail[0]! += sums.loss
      tail[1]! += weight
      sums.metrics.forEach((value, i) => {
        tail[2 + i]! += value
      })
    }
    if (!accumulate && !this.#buckets) parameters.gradients.fill(0)
    parameters.writeTotals(Float32Array.from(tail))
  }

  #bucketsOf(batch: { isFirst: boolean; isLast: boolean }): GradientBuckets | undefined {
    const all = this.#buckets
    return all && { ranges: all.ranges, take: (bucket, values) => all.take(bucket, values, batch) }
  }

  async #shardGradients(
    range: TrainRange,
    from: number,
    to: number,
    step: number,
    total: number,
  ): Promise<ShardGradients[]> {
    const { rank, size } = this.#strategy.group
    const own = splitRows(0, total, rank, size)
    const shards: ShardGradients[] = []
    for (let shard = own.from; shard < own.to; shard++) {
      await this.#addRows(range, from, to, step, { rank: shard, size: total })
      shards.push({ shard, values: this.#parameters.gradients.slice() })
    }
    return shards
  }

  async #gradientNorm(): Promise<number> {
    if (this.#job.logicalShards === undefined) return this.#strategy.gradientNorm(this.#parameters)
    // Every worker has all gradients. Added up part by part, the bits would depend on the number of workers.
    return Math.sqrt(sumOfSquares(this.#parameters))
  }

  /** Rows as the engine takes them. */
  #batch(columns: SharedColumns, training: boolean, inputs: RunInputs): Batch {
    const loss = ({ selection, step, firstRow }: RunInputs) => {
      if (training) this.#batchNorm?.begin()
      this.#random.setContext({ seed: this.#job.seed, step, firstRow })
      return this.#batchLoss({ columns, selection }, { training, step, firstRow })()
    }
    return { columns, training, ...inputs, loss }
  }
}

/** @throws {ConfigError} if the workers cannot add up within a step. */
function reducerOf({ reduceNow }: DistributedStrategy): (values: Float64Array) => void {
  if (reduceNow) return reduceNow
  throw new ConfigError('These workers cannot share statistics within a step.', {
    expected: 'worker threads over sharedMemory(), or a single worker',
    remedy: 'Leave syncBatchNorm out, or take a strategy and a transport whose workers add up in shared memory',
  })
}
