/** From the outcomes of the rounds to medians and ratios. @module */

import type { BenchCase, Contender } from './cases.js'
import type { Measurement, Outcome } from './measurement.js'

/** What one library reached in one case: figures, or why there are none. */
type Result =
  | (Omit<Measurement, 'usPerSample'> & {
      /** Microseconds per sample. */
      median: number
      /** Microseconds per sample, round by round. */
      rounds: number[]
    })
  | Exclude<Outcome, Measurement>

/** One case, as `--json` writes it. */
export interface CaseFigures {
  name: string
  unit: 'us/sample'
  results: Partial<Record<Contender, Result>>
  /** Speed of dcml over that of the other; above 1, dcml is the faster. */
  ratios: Partial<Record<Contender, number>>
  target?: { over: Contender; atLeast: number; aim?: number; ratio: number; met: boolean }
}

/** Sums up a case. The last failure of a library stands for all of its rounds. */
export function figuresOf(benchCase: BenchCase, outcomes: ReadonlyMap<Contender, readonly Outcome[]>): CaseFigures {
  const { name, target } = benchCase
  const results: CaseFigures['results'] = {}
  for (const [contender, rounds] of outcomes) results[contender] = resultOf(rounds)
  const ratios: CaseFigures['ratios'] = {}
  const own = results.dcml
  if (own && 'median' in own)
    for (const [contender, result] of Object.entries(results) as [Contender, Result][])
      if (contender !== 'dcml' && 'median' in result) ratios[contender] = result.median / own.median
  const figures: CaseFigures = { name, unit: 'us/sample', results, ratios }
  if (target) {
    const ratio = ratios[target.over]
    if (ratio !== undefined) figures.target = { ...target, ratio, met: ratio >= target.atLeast }
  }
  return figures
}

function resultOf(rounds: readonly Outcome[]): Result {
  const measured: Measurement[] = []
  for (const outcome of rounds) {
    if (!('usPerSample' in outcome)) return outcome
    measured.push(outcome)
  }
  const { usPerSample: _, ...about } = measured[0]!
  const times = measured.map(({ usPerSample }) => usPerSample)
  return { median: median(times), rounds: times, ...about }
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
