/** The contract of a worker's side of a compression. @module */

import type { FlatParameters } from '../../engine/index.js'

/** Adds up gradients over all workers in fewer bytes. */
export interface GradientReducer {
  /**
   * Replaces the gradients by about their sum over all workers; every worker ends with the same bits. What follows
   * behind the gradients is left alone.
   */
  reduce(parameters: FlatParameters): Promise<void>
  /** What this worker has not sent yet, `[layout.length]`: to be added to its next gradients. */
  readonly error?: Float32Array
  /** What is the same on all workers and lasts from step to step. */
  readonly shared?: Float32Array
}
