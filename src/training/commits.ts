/**
 * States in memory that training goes back to when its crew loses workers.
 *
 * Owns: the last state, when the next is due, and what happens after a loss.
 * Leaves: reading and writing states to the loop, the group to the crew.
 * @module
 */

import type { Checkpoint } from './checkpoint.js'
import type { History } from './history.js'
import type { ElasticCrew } from './job.js'

/** What the loop lends. */
export interface CommitParts {
  /** Undefined where the crew never changes: then nothing is kept. */
  elastic: ElasticCrew | undefined
  history: History
  read(): Promise<Checkpoint>
  goBack(to: Checkpoint): Promise<void>
}

/** Keeps the last state, and sees training through losses. */
export class Commits {
  readonly #parts: CommitParts
  #last: Checkpoint | undefined

  constructor(parts: CommitParts) {
    this.#parts = parts
  }

  /** Steps from `step` to the one after which a state is due. */
  stepsLeft(step: number): number {
    const { elastic } = this.#parts
    return elastic && this.#last ? this.#last.state.step + elastic.commitEverySteps - step : Infinity
  }

  /** Keeps the state of now, and takes in the workers that wait. */
  async commit(): Promise<void> {
    const { elastic, read } = this.#parts
    if (!elastic) return
    this.#last = await read()
    if (elastic.hasNewcomers()) await this.#regroup()
    else if (!this.#parts.history.groups) this.#note()
  }

  /** Runs the course of training; after a loss once more, from the last state on, or from its start. */
  async surviving(course: (isStart: boolean) => Promise<void>): Promise<void> {
    for (;;)
      try {
        return await course(this.#last === undefined)
      } catch (error) {
        await this.#recover(error)
      }
  }

  async #recover(error: unknown): Promise<void> {
    let failure = error
    while (this.#parts.elastic?.survives(failure))
      try {
        return await this.#regroup()
      } catch (next) {
        failure = next
      }
    throw failure
  }

  async #regroup(): Promise<void> {
    await this.#parts.elastic!.regroup()
    if (!this.#last) return
    await this.#parts.goBack(this.#last)
    this.#note()
  }

  #note(): void {
    const { history, elastic } = this.#parts
    history.groups = [...(history.groups ?? []), { fromStep: this.#last!.state.step + 1, workers: elastic!.size }]
  }
}
