/** The progress of a study on the terminal. @module */

import { withDefaults } from '../core/index.js'
import type { ProgressOutput } from '../training/index.js'
import { completed, lossOf, type TrialRecord } from './study/index.js'
import type { TuningCallback, TuningState } from './tuning-callback.js'

const WIDTH = 24

/**
 * Shows how many trials are done and the best so far; where the output is no terminal, one line per trial when `lines`
 * is set, else nothing.
 *
 * @param options - `output`: default the standard error of the process. `lines`: default false.
 * @example
 * new Tuner({ space, callbacks: [tuningProgress()] })
 */
export function tuningProgress(options: { output?: ProgressOutput; lines?: boolean } = {}): TuningCallback {
  const { output, lines } = withDefaults('tuningProgress', options, {
    output: (globalThis as { process?: { stderr?: ProgressOutput } }).process?.stderr,
    lines: false,
  })
  const live = output?.isTTY === true
  return {
    onTrialEnd(trial, state) {
      if (live) output!.write(`\r\x1b[K${bar(state)}`)
      else if (lines) output?.write(`${lineOf(trial)}  ${bestOf(state)}\n`)
    },
    onStudyEnd() {
      if (live) output!.write('\n')
    },
  }
}

function bar(state: TuningState): string {
  const ended = state.trials.filter(({ endedMs }) => endedMs !== undefined)
  const filled = Math.min(WIDTH, Math.round((WIDTH * ended.length) / state.limit))
  const counts = (['pruned', 'failed'] as const)
    .map((name) => [name, ended.filter((trial) => trial.state === name).length] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `  ${count} ${name}`)
  const full = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`
  return `${full} ${ended.length}/${state.limit} trials  ${bestOf(state)}${counts.join('')}`
}

function bestOf({ trials, directions }: TuningState): string {
  const done = completed(trials)
  if (done.length === 0) return 'none complete yet'
  if (directions.length > 1) return `${done.length} complete`
  const best = done.reduce((a, b) =>
    lossOf(b.values[0]!, directions[0]!) < lossOf(a.values[0]!, directions[0]!) ? b : a,
  )
  return `best ${short(best.values[0]!)} (trial ${best.number})`
}

function lineOf({ number, state, values, error, params }: TrialRecord): string {
  const what = error ? `${state}: ${error.message}` : `${state} ${(values ?? []).map(short).join(' ')}`
  const given = Object.entries(params ?? {}).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? short(value) : JSON.stringify(value)}`,
  )
  return `Trial ${number}  ${what}  ${given.join('  ')}`
}

const short = (value: number) => String(Number(value.toPrecision(5)))
