/** An engine whose large matrix products run in a native library. @module */

import type * as tf from '@tensorflow/tfjs-core'
import { type BlasAssist, withAssist } from '../backends/index.js'
import type { Batch, BatchSums, Engine, Run, StepSeries } from './engine.js'
import type { FlatParameters } from './flat-parameters.js'
import type { GradientBuckets } from './gradient-buckets.js'

/**
 * Turns the assist on for the steps of one engine, and for them alone: another trainer in this thread may do without.
 *
 * An engine computes before it first waits for something, or in a program that keeps the assist it was made with.
 */
export class AssistedEngine implements Engine {
  readonly #engine: Engine
  readonly #assist: BlasAssist

  constructor(engine: Engine, assist: BlasAssist) {
    this.#engine = engine
    this.#assist = assist
  }

  get name(): 'captured' | 'eager' {
    return this.#engine.name
  }

  get reason(): string | undefined {
    return this.#engine.reason
  }

  get passingBytes(): number {
    return this.#engine.passingBytes
  }

  gradients(
    batch: Batch,
    parameters: FlatParameters,
    accumulate: boolean,
    buckets?: GradientBuckets,
  ): Promise<BatchSums> {
    return withAssist(this.#assist, () => this.#engine.gradients(batch, parameters, accumulate, buckets))
  }

  /** Without the assist: an engine refuses programs that have it. */
  series(series: StepSeries, parameters: FlatParameters): Promise<Float32Array[]> | undefined {
    return this.#engine.series?.(series, parameters)
  }

  evaluate(batch: Batch): Promise<BatchSums> {
    return withAssist(this.#assist, () => this.#engine.evaluate(batch))
  }

  infer(run: Run, forward: (run: Run) => tf.Tensor): Promise<Float32Array> {
    return withAssist(this.#assist, () => this.#engine.infer(run, forward))
  }

  dispose(): void {
    this.#engine.dispose()
  }
}
