/** Studies in memory: for one process, and for browsers. @module */

import { checkSameStudy } from './check-description.js'
import type { StudyDescription, StudyLog, StudyStorage } from './study-storage.js'
import type { TrialRecord } from './trial-record.js'

/**
 * Keeps studies for as long as the object lives. A second run of a study of the same name goes on with its trials.
 *
 * @example
 * const storage = memoryStudies()
 * await new Tuner({ space, storage }).run(objective, { trials: 20 })
 * await new Tuner({ space, storage }).run(objective, { trials: 50 })   // 30 more
 */
export function memoryStudies(): StudyStorage {
  const studies = new Map<string, { description: StudyDescription; trials: TrialRecord[] }>()
  return {
    async open(description) {
      const known = studies.get(description.name)
      if (known) checkSameStudy(known.description, description)
      const study = known ?? { description, trials: [] }
      studies.set(description.name, study)
      return new MemoryStudyLog(study.trials)
    },
  }
}

class MemoryStudyLog implements StudyLog {
  readonly #trials: TrialRecord[]

  constructor(trials: TrialRecord[]) {
    this.#trials = trials
  }

  async trials(): Promise<readonly TrialRecord[]> {
    return [...this.#trials]
  }

  async begin(limit: number): Promise<TrialRecord | undefined> {
    const waiting = this.#trials.find(({ state }) => state === 'waiting')
    const startedMs = Date.now()
    if (waiting) return this.#change(waiting.number, { state: 'running', reports: [], startedMs })
    const number = this.#trials.length
    if (number >= limit) return undefined
    const trial: TrialRecord = { number, state: 'running', attempt: 1, reports: [], startedMs }
    this.#trials.push(trial)
    return trial
  }

  async describe(number: number, params: TrialRecord['params'], notes?: TrialRecord['notes']): Promise<void> {
    this.#change(number, { params, ...(notes ? { notes } : {}) })
  }

  async report(number: number, step: number, value: number): Promise<void> {
    const others = this.#trials[number]!.reports.filter((report) => report.step !== step)
    this.#change(number, { reports: [...others, { step, value }].sort((a, b) => a.step - b.step) })
  }

  async finish(number: number, outcome: Parameters<StudyLog['finish']>[1]): Promise<void> {
    if (this.#trials[number]!.state === 'running') this.#change(number, { ...outcome, endedMs: Date.now() })
  }

  async release(number: number): Promise<void> {
    this.#change(number, { state: 'waiting' })
  }

  async renew(): Promise<void> {}

  async close(): Promise<void> {}

  #change(number: number, changes: Partial<TrialRecord>): TrialRecord {
    const changed = { ...this.#trials[number]!, ...changes }
    this.#trials[number] = changed
    return changed
  }
}
