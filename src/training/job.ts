/**
 * What is to be trained, and in what units of work: plain data that goes to threads and processes as it is.
 * @module
 */

import type { AssistName, BackendName } from '../backends/index.js'
import type { Column, EngineChoice } from '../engine/index.js'
import type { OptimizerDescription } from '../optimizers/index.js'

/** A training job as every worker receives it. */
export interface TrainingJob {
  /** The model as tfjs topology JSON, or the name of an export of `setup` that is a model or makes one. */
  model: { topology: string } | { exportName: string }
  /** Address of the module that each worker loads first. */
  setup?: string
  /** Name of a loss; or `step`, the name of an export of `setup`. */
  loss?: string
  step?: string
  metrics: string[]
  optimizer: OptimizerDescription
  engine: EngineChoice
  seed: number
  /** Largest norm of the global gradient. */
  clipNorm?: number
  /** Fixed number of parts that a batch is computed in, whatever the number of workers. */
  logicalShards?: number
  /** Whether batch normalization takes its statistics over the rows of all workers. */
  syncBatchNorm?: true
  /** The backend that the workers use. */
  backend: BackendName
  /** What helps that backend. */
  assist?: AssistName
  columns: { features: string; target: string; weight?: string }
}

/** The engine that runs the steps. */
export interface EngineReport {
  name: 'captured' | 'eager'
  /** Why it is not the one asked for. */
  reason?: string
  /** Name of the native library that computed something, when one did. */
  assist?: string
}

/** Consecutive steps for the workers to run. */
export interface TrainRange {
  /** Name of the resident data. */
  data: string
  /** Row numbers in the order of this epoch. */
  order: Uint32Array
  /** Byte offset of the same numbers in the memory of the workers' kernels, where a coordinator has put them. */
  orderPointer?: number
  /** Index in `order` of the first row. */
  from: number
  /** Index in `order` behind the last row. */
  to: number
  /** Rows of a global batch. */
  batchSize: number
  /** Batches whose gradients are added before one update. */
  accumulateSteps: number
  /** Number of the first update, from 1. */
  firstStep: number
}

/** Rows to evaluate, every one once. */
export interface EvaluateRange {
  data: string
  from: number
  to: number
  batchSize: number
}

/** Sums over rows; divided by `weight` they are means. */
export interface Sums {
  loss: number
  /** Number of rows, or the sum of their weights. */
  weight: number
  metrics: number[]
}

/** What one step did, over the global batch. */
export interface StepRecord extends Sums {
  /** Number of the update, from 1. */
  step: number
  /** Norm of the mean gradient before clipping, when `clipNorm` is set. */
  gradientNorm?: number
}

/** Everything that training changes, by name. */
export interface TrainingState {
  /** Updates made. */
  step: number
  parameters: Record<string, Float32Array>
  /** By slot, then by parameter. */
  slots: Record<string, Record<string, Float32Array>>
  /** Weights that are not trained but change, such as moving means. */
  buffers: Record<string, Float32Array>
  /** What the strategy itself goes on from. Another strategy takes no notice of it. */
  strategy?: Record<string, Float32Array>
}

/** What one worker needs and does for the training; bytes. */
export interface WorkerUsage {
  /** Sent to other workers since the training began. With collectives of a transport's own: what a ring would send. */
  sentBytes: number
  /** The long-lived buffers of the training. A buffer that several workers share counts in equal parts. */
  memory: {
    weights: number
    /** Those that are kept, and those that wait to be taken while a step runs. */
    gradients: number
    /** Of the optimizer. */
    slots: number
    /** Of the strategy: momentum of an outer optimizer, errors of a compression. */
    strategy: number
  }
}

/** What a crew can do whose workers may change. */
export interface ElasticCrew {
  /** Steps between two states that training can go back to. */
  readonly commitEverySteps: number
  /** Whether workers wait to be taken in. */
  hasNewcomers(): boolean
  /** Whether an error of the crew's methods is the loss of workers, after which the rest can go on. */
  survives(error: unknown): boolean
  /** Brings the workers together who are there, as at the start of training: `writeState` brings them further. */
  regroup(): Promise<void>
  /** Workers in the group as it is now. */
  readonly size: number
}

/**
 * The workers of a running job, as the coordinator sees them. A single worker in this thread and eight in others look
 * alike.
 */
export interface Crew {
  /** Whether the workers run outside the caller's thread, and keep the weights there. */
  readonly remote: boolean
  /** Whether the course of training runs here. False in all processes of a group but one. */
  readonly leads: boolean
  /** Set where the crew may lose workers and take in others. */
  readonly elastic?: ElasticCrew
  /**
   * Loads data in every process, then runs the course of training in the one that leads. The others do what it asks of
   * its crew until the course ends, and then return or throw what it did: plain data.
   */
  lead<L, T>(load: () => Promise<L>, course: (loaded: L) => Promise<T>): Promise<T>
  /**
   * Makes columns known to every worker under a name, replacing what had it. While data is loaded every process gives
   * its own, which must be the same; in its course the leader gives them to all.
   *
   * @param options - `reused`: whether rows will be read several times, so that a copy in the memory of the kernels pays.
   */
  setData(name: string, columns: SharedColumns, options: { reused: boolean }): Promise<void>
  /** Runs steps. Every worker computes the same records; those of rank 0 are returned. */
  train(range: TrainRange): Promise<StepRecord[]>
  evaluate(range: EvaluateRange): Promise<Sums>
  /** All weights by name, trainable or not. */
  readWeights(): Promise<Record<string, Float32Array>>
  /** What a checkpoint holds: the weights, and all that the next steps depend on besides them. */
  readState(): Promise<TrainingState>
  writeState(state: TrainingState): Promise<void>
  /** Sets weights by name, trainable or not, and leaves everything else. */
  writeWeights(weights: Record<string, Float32Array>): Promise<void>
  /** Which engine runs the steps, and with what help. */
  engine(): Promise<EngineReport>
  /** What each worker needs, in rank order. */
  usage(): Promise<WorkerUsage[]>
  close(): Promise<void>
}

/** Numeric columns. */
export type SharedColumns = Record<string, Column & { shape: number[] }>
