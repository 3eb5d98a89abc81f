/** What a study found. @module */

import { deserializeError, StateError, withDefaults } from '../core/index.js'
import { parameterImportance } from './report/importance.js'
import { studyPage } from './report/study-page.js'
import { nondominatedFronts } from './samplers/index.js'
import type { Params, Space } from './space/index.js'
import { completed, type Direction, lossOf, type TrialRecord } from './study/index.js'
import type { StopReason } from './study-run.js'

/** A trial that went to its end. */
export interface CompleteTrial<P> extends TrialRecord {
  readonly params: Params & P
  readonly values: readonly number[]
}

/** What a result is made of. */
export interface ResultParts {
  readonly trials: readonly TrialRecord[]
  readonly directions: readonly Direction[]
  readonly space: Space
  readonly name: string
  readonly stopReason?: StopReason
}

/** All trials of a study, the best of them, and reports on it. */
export class TuningResult<P = Params> {
  readonly trials: readonly TrialRecord[]
  readonly directions: readonly Direction[]
  readonly name: string
  /** Why the run ended before its last trial, when it did. */
  readonly stopReason: StopReason | undefined
  readonly #space: Space

  constructor({ trials, directions, space, name, stopReason }: ResultParts) {
    this.trials = trials
    this.directions = directions
    this.name = name
    this.stopReason = stopReason
    this.#space = space
  }

  /**
   * The trial with the best value; the first of several alike.
   *
   * @throws {StateError} if no trial was complete, with the first trial's error as cause; or in a study with several
   *   directions, whose best trials are the `paretoFront`.
   */
  get trial(): CompleteTrial<P> {
    if (this.directions.length > 1)
      throw new StateError('A study with several directions has no single best trial.', {
        remedy: 'Choose one of the paretoFront',
      })
    const done = this.#complete()
    const loss = ({ values }: { values: readonly number[] }) => lossOf(values[0]!, this.directions[0]!)
    return done.reduce((best, trial) => (loss(trial) < loss(best) ? trial : best))
  }

  /** Parameters of the best trial. */
  get params(): P {
    return this.trial.params
  }

  /** Value of the best trial. */
  get value(): number {
    return this.trial.values[0]!
  }

  /** The trials that none beats in every value, by number. */
  get paretoFront(): CompleteTrial<P>[] {
    const done = this.#complete()
    const losses = done.map(({ values }) => values.map((value, i) => lossOf(value, this.directions[i]!)))
    return nondominatedFronts(losses)[0]!.map((i) => done[i]!)
  }

  /**
   * How much of the differences in value each parameter explains by itself, from 0 to 1; what is missing from 1 is
   * explained by several together. For each value of the objective, the first when none is named.
   */
  importance(options: { objective?: number } = {}): Record<string, number> {
    const { objective } = withDefaults('TuningResult.importance', options, { objective: 0 })
    const shares = parameterImportance(this.#space, completed(this.trials), objective)
    return Object.fromEntries(shares.map(({ name, share }) => [name, share]))
  }

  /** Plain data. */
  toJSON(): { name: string; directions: readonly Direction[]; trials: readonly TrialRecord[] } {
    return { name: this.name, directions: this.directions, trials: this.trials }
  }

  /** One page that needs no other file: history, importance, parallel coordinates, slices. */
  toHTML(options: { title?: string } = {}): string {
    const { title } = withDefaults('TuningResult.toHTML', options, { title: 'Tuning' })
    const parts = { trials: this.trials, directions: this.directions, space: this.#space, name: this.name }
    return studyPage(parts, title)
  }

  #complete(): CompleteTrial<P>[] {
    const done = completed(this.trials)
    if (done.length > 0) return done as CompleteTrial<P>[]
    const failed = this.trials.find(({ error }) => error)?.error
    throw new StateError('No trial of the study was complete.', {
      received: `${this.trials.length} trials${failed ? `, the first error being: ${failed.message}` : ''}`,
      ...(failed ? { cause: deserializeError(failed) } : {}),
    })
  }
}
