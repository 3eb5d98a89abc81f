/**
 * The contract of distribution: where workers run, and how they stay equal.
 *
 * A strategy object has two lives. The one that the user makes lives with the coordinator: `start` brings up the
 * workers and returns the crew. Each worker holds one of its own, whose other methods run inside every step.
 * @module
 */

import {
  createFlatFloats,
  type FlatBuffers,
  type FlatParameters,
  type GradientBuckets,
  type LoweredStep,
  type ParameterLayout,
} from '../engine/index.js'
import { applyUpdate, type Optimizer, type Slots, sumOfSquares } from '../optimizers/index.js'
import type { Crew, StepRecord, Sums, TrainingJob } from './job.js'
import type { LocalParts } from './local-parts.js'

/** The workers that this one belongs to. */
export interface Group {
  /** This worker's number, from 0. */
  readonly rank: number
  /** Number of workers. */
  readonly size: number
  /** Counts up whenever workers come or go. */
  readonly generation: number
}

/** The contribution of one logical shard of a batch: gradients, then the tail of sums. */
export interface ShardGradients {
  shard: number
  values: Float32Array
}

/** The buffers of a replica. */
export interface TrainingBuffers extends FlatBuffers {
  slots: Slots
}

/** What a worker holds besides weights and gradients. */
export interface StrategyState {
  /** The optimizer's slots, each as long as the weights. */
  slots: readonly Float32Array[]
  /** What the strategy itself goes on from, by name: momentum of an outer optimizer, errors not yet sent. */
  strategy?: Record<string, Float32Array>
}

/** Gradients in pieces, batch after batch of a step. */
export interface BatchBuckets extends Pick<GradientBuckets, 'ranges'> {
  /** Takes a piece of the first, the last or another batch of a step; else as in `GradientBuckets`. */
  take(bucket: number, values: Float32Array, batch: { isFirst: boolean; isLast: boolean }): Promise<void>
}

/** What the buffers of a replica are made for. */
export interface BufferNeeds {
  layout: ParameterLayout
  /** Sums that ride behind the gradients. */
  totals: number
  /** Of the optimizer, each as long as the weights. */
  slots: number
  /** Whether a worker needs all gradients at once: to add up logical shards. */
  whole: boolean
}

/** How the work of training is spread over workers. */
export abstract class DistributedStrategy {
  /** This worker and its peers. */
  abstract readonly group: Group
  /** Bytes that this worker has sent to its peers; as a ring would, where a transport has collectives of its own. */
  get sentBytes(): number {
    return 0
  }

  /** Bytes of the buffers that the strategy itself keeps. */
  get ownBytes(): number {
    return 0
  }

  /** Workers that share one copy of weights and slots. */
  get holders(): number {
    return 1
  }

  /**
   * Brings up the workers.
   *
   * @param local - Live objects that cannot leave this thread; a strategy with more workers refuses those it cannot
   *   rebuild from the job.
   */
  abstract start(job: TrainingJob, local: LocalParts): Promise<Crew>

  /**
   * Adds up the gradients of all workers, where they lie; every worker ends with the same bits of those that it needs
   * for its update.
   *
   * @returns The sums that ride behind the gradients, added up over all workers.
   */
  abstract synchronize(parameters: FlatParameters): Promise<Float32Array>

  /**
   * Adds up logical shards in a fixed tree, so that the bits do not depend on the number of workers.
   *
   * @param into - Receives the whole sum, on every worker.
   */
  abstract synchronizeShards(shards: ShardGradients[], total: number, into: Float32Array): Promise<void>

  /** Makes the buffers that training works on; by default each worker has its own. */
  async createBuffers({ layout: { length }, totals, slots }: BufferNeeds): Promise<TrainingBuffers> {
    return {
      weights: createFlatFloats(length),
      sums: createFlatFloats(length + totals),
      slots: Array.from({ length: slots }, () => createFlatFloats(length)),
    }
  }

  /**
   * Who takes the gradients of each batch while they are computed, instead of the buffer that `synchronize` finds all of
   * them in. Every worker hands over the same buckets, also one that has no rows. Asked for once the buffers are made.
   */
  gradientBuckets(_parameters: FlatParameters): BatchBuckets | undefined {
    return undefined
  }

  /**
   * Adds up numbers over all workers before it returns, in place: within a step, where nothing can be awaited.
   * Undefined where workers cannot wait for each other so.
   */
  get reduceNow(): ((values: Float64Array) => void) | undefined {
    return undefined
  }

  /** Learns what it will update, for strategies that do so also between the steps of their worker. */
  prepare(_optimizer: Optimizer, _parameters: FlatParameters, _slots: Slots): void {}

  /** Norm of the gradients of all workers, once `synchronize` has added them up. */
  async gradientNorm(parameters: FlatParameters): Promise<number> {
    return Math.sqrt(sumOfSquares(parameters))
  }

  /** Averages values that every worker keeps for itself, such as the moving means of batch normalisation, in place. */
  abstract averageBuffers(values: Float32Array): Promise<void>

  /**
   * Updates the parameters that this worker owns: by default all of them.
   *
   * @param at - `step`: number of the update; `gradientScale`: turns the sums of the gradients into what is applied.
   */
  update(
    optimizer: Optimizer,
    parameters: FlatParameters,
    slots: Slots,
    at: { step: number; gradientScale: number },
  ): void | Promise<void> {
    applyUpdate(optimizer, parameters, slots, at)
  }

  /** Runs after each update, for strategies that average weights now and then. */
  async afterStep(_step: number, _parameters: FlatParameters): Promise<void> {}

  /**
   * What `synchronize`, `update` and `afterStep` do, in a form that captured steps run by themselves; undefined where
   * they cannot. Who overrides one of those overrides this too.
   */
  lower(_parameters: FlatParameters): LoweredStep | undefined {
    return undefined
  }

  /** Adds up sums of an evaluation that was split over the workers, in rank order. */
  mergeMetrics(parts: readonly Sums[]): Sums {
    const merged: Sums = { loss: 0, weight: 0, metrics: parts[0]?.metrics.map(() => 0) ?? [] }
    for (const part of parts) {
      merged.loss += part.loss
      merged.weight += part.weight
      part.metrics.forEach((sum, i) => {
        merged.metrics[i]! += sum
      })
    }
    return merged
  }

  /** Whether `synchronize` returns the worker's own sums, since workers do not talk at every step. */
  get completesRecords(): boolean {
    return false
  }

  /**
   * Turns records of this worker's rows into those of all workers, for strategies whose `completesRecords` is true.
   * Every worker calls it after the same steps.
   */
  async completeRecords(records: StepRecord[]): Promise<StepRecord[]> {
    return records
  }

  /** Gives all workers the same weights, where they may differ between steps. Before weights are read. */
  async gatherWeights(_parameters: FlatParameters): Promise<void> {}

  /** The state of training besides the weights, for a worker that owns a part of it. By default each owns all. */
  async gatherState(_parameters: FlatParameters, slots: Slots): Promise<StrategyState> {
    return { slots: await Promise.all(slots.map((slot) => slot.read())) }
  }

  /** Takes over what `gatherState` told, perhaps with another number of workers. The weights are set already. */
  async restoreState({ slots: values }: StrategyState, _parameters: FlatParameters, slots: Slots): Promise<void> {
    for (const [i, slot] of slots.entries()) slot.write(values[i]!)
  }

  /** Gives back what the strategy holds. The crew has a `close` of its own. */
  async close(): Promise<void> {}
}
