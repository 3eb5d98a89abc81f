/** A metric together with what it has seen. @module */

import type { Metric, Predictions } from './metric.js'

/**
 * Keeps the state of a metric, for loops of your own.
 *
 * @example
 * const auc = new RunningMetric(rocAuc())
 * for (const batch of batches) auc.update({ truth: batch.truth, scores: batch.scores })
 * auc.compute()
 * auc.reset()
 */
export class RunningMetric<State, Result, Batch = Predictions> {
  readonly #metric: Metric<State, Result, Batch>
  #state: State

  constructor(metric: Metric<State, Result, Batch>) {
    this.#metric = metric
    this.#state = metric.create()
  }

  /** Name of the metric. */
  get name(): string {
    return this.#metric.name
  }

  /** What it has seen, as plain data that may go to another thread or process, for `merge` there. */
  get state(): State {
    return this.#state
  }

  /** Takes in rows. */
  update(batch: Batch): void {
    this.#metric.update(this.#state, batch)
  }

  /** Takes in what another has seen, which is left as it is. */
  merge(other: State): void {
    this.#metric.merge(this.#state, other)
  }

  /** The value of all that it has seen. */
  compute(): Result {
    return this.#metric.compute(this.#state)
  }

  /** Forgets all that it has seen. */
  reset(): void {
    this.#state = this.#metric.create()
  }
}
