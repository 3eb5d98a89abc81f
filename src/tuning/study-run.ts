/**
 * One run of a study.
 *
 * Owns: which trial runs when, what counts, abort and timeout.
 * Leaves: the choice of parameters to the sampler, early ends to the scheduler, memory to the log.
 * @module
 */

import { CallQueue, ConfigError, NumericError, serializeError } from '../core/index.js'
import { ObjectiveThread } from './objective-thread.js'
import type { Sampler } from './samplers/index.js'
import type { Scheduler } from './schedulers/index.js'
import type { Space } from './space/index.js'
import type { Direction, StudyLog, TrialOutcome, TrialRecord } from './study/index.js'
import { LiveTrial, type Objective, type Score } from './trial.js'
import type { TuningCallback } from './tuning-callback.js'

/** How to run a study. */
export interface TuneOptions {
  /** Trials that the study is to have in all, those of earlier runs and of other processes included. @default 100 */
  trials?: number
  /** Trials at a time. @default 1 */
  concurrency?: number
  /** Begins no trial after so many milliseconds. */
  timeoutMs?: number
  /** Stops; trials that were running are taken up again by the next run. */
  signal?: AbortSignal
}

/** Those options with their defaults. */
export const runDefaults = { trials: 100, concurrency: 1, timeoutMs: undefined, signal: undefined } as const

/** Why a run ended before its last trial. */
export type StopReason = 'aborted' | 'timeout'

/** What a run works with. */
export interface StudyParts {
  log: StudyLog
  limit: number
  space: Space
  sampler: Sampler
  scheduler: Scheduler | undefined
  directions: readonly Direction[]
  callbacks: readonly TuningCallback[]
}

/** As many slots as trials may run at a time, each taking one trial after the other. */
export class StudyRun {
  readonly #parts: StudyParts
  readonly #objective: Objective | URL
  readonly #options: TuneOptions
  readonly #aborting = new AbortController()
  readonly #running = new Set<number>()
  readonly #startedMs = performance.now()
  /** Trials are begun one after the other, so that each sampler call sees the trial before. */
  readonly #begins = new CallQueue()
  #stopReason: StopReason | undefined

  constructor(parts: StudyParts, objective: Objective | URL, options: TuneOptions) {
    this.#parts = parts
    this.#objective = objective
    this.#options = options
  }

  async toEnd(): Promise<StopReason | undefined> {
    const { signal, concurrency = 1 } = this.#options
    const { log, callbacks } = this.#parts
    const abort = () => {
      this.#stopReason ??= 'aborted'
      this.#aborting.abort(signal?.reason)
    }
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
    // A failure shows at the next change of the log, too, and there it is heard.
    const renew = () => log.renew([...this.#running]).catch(() => {})
    const heartbeat = log.renewMs === undefined ? undefined : setInterval(renew, log.renewMs)
    try {
      const slots = Array.from({ length: concurrency }, (_, slot) => this.#runSlot(slot))
      const failure = (await Promise.allSettled(slots)).find(({ status }) => status === 'rejected')
      if (failure) throw (failure as PromiseRejectedResult).reason
      const state = await this.#state()
      for (const callback of callbacks) await callback.onStudyEnd?.(state)
      return this.#stopReason
    } finally {
      clearInterval(heartbeat)
      signal?.removeEventListener('abort', abort)
    }
  }

  async #runSlot(slot: number): Promise<void> {
    const thread =
      this.#objective instanceof URL ? new ObjectiveThread(this.#objective.href, `dcml trial ${slot}`) : undefined
    const objective: Objective = thread ? (trial) => thread.run(trial) : (this.#objective as Objective)
    try {
      for (;;) {
        const trial = await this.#begins.run(() => this.#begin())
        if (!trial) return
        await this.#runTrial(trial, objective)
      }
    } catch (error) {
      // The storage or a callback failed: the other slots end, too.
      this.#aborting.abort(error)
      throw error
    } finally {
      await thread?.close()
    }
  }

  async #begin(): Promise<TrialRecord | undefined> {
    const { log, limit, space, sampler, directions } = this.#parts
    const { timeoutMs } = this.#options
    if (timeoutMs !== undefined && performance.now() - this.#startedMs >= timeoutMs) this.#stopReason ??= 'timeout'
    if (this.#stopReason || this.#aborting.signal.aborted) return undefined
    const trial = await log.begin(limit)
    if (!trial) return undefined
    this.#running.add(trial.number)
    // One that was taken up again has its parameters.
    if (trial.params) return trial
    try {
      const trials = (await log.trials()).filter(({ number }) => number !== trial.number)
      const { params, notes } = sampler.suggest({ number: trial.number, space, directions, trials })
      await log.describe(trial.number, params, notes)
      return { ...trial, params, ...(notes ? { notes } : {}) }
    } catch (error) {
      await this.#giveBack(trial.number)
      throw error
    }
  }

  async #runTrial(trial: TrialRecord, objective: Objective): Promise<void> {
    const { log, callbacks, directions } = this.#parts
    const { number } = trial
    const live = new LiveTrial(
      { number, params: trial.params!, parent: trial.notes?.parent },
      this.#aborting.signal,
      (step, value) => this.#judge(number, step, value),
    )
    let outcome: TrialOutcome
    try {
      const score = await objective(live)
      outcome = live.shouldPrune
        ? await this.#pruned(number)
        : { state: 'complete', values: checkScore(score, directions) }
    } catch (error) {
      outcome = { state: 'failed', error: serializeError(error) }
    }
    // What a trial gives after it was told to stop is half a result.
    if (this.#aborting.signal.aborted) return this.#giveBack(number)
    this.#running.delete(number)
    await log.finish(number, outcome)
    const state = await this.#state()
    const ended = state.trials[number]!
    // It goes on in another process, which took it up while this one was silent.
    if (ended.endedMs === undefined) return
    for (const callback of callbacks) await callback.onTrialEnd?.(ended, state)
  }

  async #giveBack(number: number): Promise<void> {
    this.#running.delete(number)
    await this.#parts.log.release(number)
  }

  /** Keeps a report, and tells whether the trial is to end. */
  async #judge(number: number, step: number, value: number): Promise<boolean> {
    const { log, scheduler, directions } = this.#parts
    if (!scheduler) {
      await log.report(number, step, value)
      return false
    }
    const before = (await log.trials())[number]!.reports.at(-1)?.step
    await log.report(number, step, value)
    const trials = await log.trials()
    return scheduler.shouldPrune({ trial: trials[number]!, previousStep: before, trials, direction: directions[0]! })
  }

  /** A pruned trial has the value that it reported last, whatever its objective gave in a hurry. */
  async #pruned(number: number): Promise<TrialOutcome> {
    return { state: 'pruned', values: [(await this.#parts.log.trials())[number]!.reports.at(-1)!.value] }
  }

  async #state() {
    const { log, limit, directions } = this.#parts
    return { trials: await log.trials(), limit, directions }
  }
}

function checkScore(score: Score, directions: readonly Direction[]): readonly number[] {
  const values: readonly unknown[] = Array.isArray(score) ? score : [score]
  if (values.length !== directions.length)
    throw new ConfigError('The objective gave another number of values than the study has directions.', {
      expected: directions.length,
      received: values.length,
    })
  for (const value of values)
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new NumericError('The objective gave what is not a finite number.', { received: value })
  return values as number[]
}
