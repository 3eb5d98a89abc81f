/** A progress bar on the terminal. @module */

import { withDefaults } from '../core/index.js'
import type { Callback, FitState } from './callback.js'

/** Where a progress bar writes; `process.stderr` fits. */
export interface ProgressOutput {
  /** Takes text as it is, without adding the end of a line. */
  write(text: string): unknown
  isTTY?: boolean | undefined
  columns?: number | undefined
}

/**
 * Shows a bar, the loss and the speed of each epoch on a terminal; where the output is none, one line per epoch when
 * `lines` is set, else nothing.
 *
 * @param options - `output`: default the standard error of the process. `lines`: default false.
 */
export function progressBar(options: { output?: ProgressOutput; lines?: boolean } = {}): Callback {
  const { output, lines } = withDefaults('progressBar', options, {
    output: (globalThis as { process?: { stderr?: ProgressOutput } }).process?.stderr,
    lines: false,
  })
  const live = output?.isTTY === true
  let startedMs = 0
  let drawnMs = 0
  let epochStartStep = 0
  const draw = (state: FitState) => {
    if (!live) return
    const now = performance.now()
    const done = state.step - epochStartStep
    const total = state.stepsPerEpoch
    if (now - drawnMs < 80 && done !== total) return
    drawnMs = now
    const width = 24
    const filled = total ? Math.round((width * done) / total) : 0
    const bar = total ? `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done}/${total}` : `${done} steps`
    const seconds = (now - startedMs) / 1000
    const left = total && done > 0 ? `  ${formatSeconds((seconds * (total - done)) / done)} left` : ''
    output!.write(`\r\x1b[K${title(state)} ${bar}  ${values(state.logs)}${left}`)
  }
  return {
    relaxed: true,
    onEpochStart(state) {
      startedMs = performance.now()
      epochStartStep = state.step
      draw(state)
    },
    onStepEnd: draw,
    onEpochEnd(state) {
      if (!live && !lines) return
      const { epoch: _, seconds, samplesPerSecond, ...means } = state.record
      const speed = `${formatSeconds(seconds)}, ${Math.round(samplesPerSecond)} samples/s`
      output?.write(`${live ? '\r\x1b[K' : ''}${title(state)}  ${values(means)}  ${speed}\n`)
    },
    onException() {
      if (live) output!.write('\n')
    },
  }
}

const title = (state: FitState) => `Epoch ${state.epoch + 1}/${state.epochs}`

const values = (logs: Readonly<Record<string, number>>) =>
  Object.entries(logs)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join('  ')

const formatSeconds = (seconds: number) =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
