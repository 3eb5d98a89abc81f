/**
 * Searches for the parameters that score best.
 *
 * Owns: what belongs together: space, sampler, scheduler, directions, storage.
 * Leaves: the course of a run to study-run.ts.
 * @module
 */

import { ConfigError, checkGiven, checkWhole, describe, StateError, withDefaults } from '../core/index.js'
import { type Sampler, tpe } from './samplers/index.js'
import type { Scheduler } from './schedulers/index.js'
import { type ParameterValue, type ParamsOf, Space, type SpaceDefinition } from './space/index.js'
import { type Direction, memoryStudies, type StudyStorage } from './study/index.js'
import { runDefaults, StudyRun, type TuneOptions } from './study-run.js'
import type { Objective } from './trial.js'
import type { TuningCallback } from './tuning-callback.js'
import { TuningResult } from './tuning-result.js'

/** What a tuner is made of. */
export interface TunerOptions<S extends SpaceDefinition> {
  space: S
  /** @default tpe() */
  sampler?: Sampler
  /** Ends trials early. @default none */
  scheduler?: Scheduler
  /** @default 'minimize' */
  direction?: Direction
  /** One per value, for objectives that give several; instead of `direction`. */
  directions?: readonly Direction[]
  /** Combinations for which one of these is false are not tried. */
  constraints?: readonly ((params: ParamsOf<S>) => boolean)[]
  /** @default memoryStudies() */
  storage?: StudyStorage
  /** Name in the storage. @default 'study' */
  name?: string
  /** @default [] */
  callbacks?: readonly TuningCallback[]
}

/**
 * Runs trials of a search space and keeps what they gave.
 *
 * @example
 * const best = await new Tuner({ space: { rate: logUniform(1e-4, 1e-1), units: choice([32, 64, 128]) } }).run(
 *   async (trial) => lossWith(trial.params.rate, trial.params.units),
 *   { trials: 50 },
 * )
 * console.log(best.params, best.value)
 */
export class Tuner<const S extends SpaceDefinition> {
  readonly directions: readonly Direction[]
  readonly #options: TunerOptions<S>
  readonly #space: Space
  readonly #sampler: Sampler
  readonly #storage: StudyStorage
  readonly #name: string
  #busy = false

  /** @throws {ConfigError} if options do not fit together. */
  constructor(options: TunerOptions<S>) {
    const { sampler } = withDefaults('Tuner', options, {
      space: undefined,
      sampler: undefined,
      scheduler: undefined,
      direction: undefined,
      directions: undefined,
      constraints: undefined,
      storage: undefined,
      name: undefined,
      callbacks: undefined,
    })
    checkGiven(sampler === undefined || typeof sampler.name === 'string', 'The sampler is none.', {
      expected: 'what a function such as tpe() returns',
      received: sampler,
    })
    this.#options = options
    this.#space = new Space(
      options.space,
      (options.constraints ?? []) as readonly ((params: Record<string, ParameterValue>) => boolean)[],
    )
    this.#sampler = options.sampler ?? tpe()
    this.#storage = options.storage ?? memoryStudies()
    this.#name = options.name ?? 'study'
    this.directions = checkDirections(options)
    const { scheduler } = options
    if (this.directions.length > 1 && !this.#sampler.multiObjective)
      throw new ConfigError(`The sampler ${this.#sampler.name} cannot judge by several values.`, {
        remedy: 'Use nsga2(), or give one direction',
      })
    if (this.directions.length > 1 && scheduler)
      throw new ConfigError(`The scheduler ${scheduler.name} cannot judge by several values.`, {
        remedy: 'Leave it out, or give one direction',
      })
  }

  /**
   * Runs trials until the study has as many as asked for.
   *
   * A trial whose objective throws, or gives what is no finite number, is recorded as failed, and the study goes on.
   *
   * @param objective - A function of the trial; or the address of a module that exports it as default, which runs in
   *   worker threads: `new URL('./objective.js', import.meta.url)`.
   * @throws {ConfigError} if the storage holds another study of this name.
   * @throws {StorageError} if the storage fails.
   */
  async run(objective: Objective<ParamsOf<S>> | URL, options: TuneOptions = {}): Promise<TuningResult<ParamsOf<S>>> {
    checkRun(objective, options)
    if (this.#busy)
      throw new StateError('The tuner is busy.', { remedy: 'Await the run before, or use a second tuner' })
    this.#busy = true
    try {
      const { trials = 100 } = options
      const limit = Math.min(trials, this.#sampler.limit?.(this.#space) ?? trials)
      const log = await this.#storage.open({
        name: this.#name,
        directions: this.directions,
        space: JSON.parse(JSON.stringify(this.#options.space)),
      })
      try {
        const { scheduler, callbacks = [] } = this.#options
        const parts = { log, limit, space: this.#space, sampler: this.#sampler, directions: this.directions }
        const run = new StudyRun({ ...parts, scheduler, callbacks }, objective as Objective | URL, options)
        const stopReason = await run.toEnd()
        return new TuningResult<ParamsOf<S>>({
          trials: await log.trials(),
          directions: this.directions,
          space: this.#space,
          name: this.#name,
          ...(stopReason ? { stopReason } : {}),
        })
      } finally {
        await log.close()
      }
    } finally {
      this.#busy = false
    }
  }
}

function checkDirections<S extends SpaceDefinition>({ direction, directions }: TunerOptions<S>): readonly Direction[] {
  if (direction !== undefined && directions !== undefined)
    throw new ConfigError('A tuner takes a direction or directions.', { expected: 'one of the two', received: 'both' })
  const checked = directions ?? [direction ?? 'minimize']
  if (checked.length === 0)
    throw new ConfigError('directions is empty.', { expected: 'one per value of the objective' })
  for (const one of checked)
    if (one !== 'minimize' && one !== 'maximize')
      throw new ConfigError('There is no such direction.', { expected: "'minimize' or 'maximize'", received: one })
  return checked
}

function checkRun(objective: unknown, options: TuneOptions): void {
  const { trials, concurrency, timeoutMs } = withDefaults('Tuner.run', options, runDefaults)
  if (typeof objective !== 'function' && !(objective instanceof URL))
    throw new ConfigError('The objective is neither a function nor the address of a module.', {
      expected: "async (trial) => score, or new URL('./objective.js', import.meta.url)",
      received: describe(objective),
    })
  for (const [name, value] of Object.entries({ trials, concurrency })) checkWhole(name, value)
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    throw new ConfigError('timeoutMs is out of range.', { expected: 'milliseconds above 0', received: timeoutMs })
}
