/** What training measured, epoch by epoch. @module */

import type { WorkerUsage } from './job.js'

/** Means of one epoch: `loss`, each metric, and `val_` forms of both, beside the fixed fields. */
export interface EpochRecord {
  /** From 0. */
  epoch: number
  /** Mean training loss. */
  loss: number
  /** Wall-clock time of the epoch without validation. */
  seconds: number
  samplesPerSecond: number
  [metric: string]: number
}

/** The result of `fit`. */
export interface History {
  epochs: EpochRecord[]
  /** Which engine ran the steps. */
  engine: 'captured' | 'eager'
  /** Why another engine than the one asked for was used. */
  engineReason?: string
  /** Name of the native library that ran large matrix products, when one did: 'OpenBLAS 0.3.21'. */
  assist?: string
  /** What each worker held and sent, in rank order. */
  workers?: WorkerUsage[]
  /** The groups of an elastic training, in order: from which step on, in how many workers. */
  groups?: { fromStep: number; workers: number }[]
  /** Why training ended before its last epoch, when it did. */
  stopReason?: string
}
