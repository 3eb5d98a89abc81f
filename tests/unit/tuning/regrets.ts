/** Runs a sampler on a function of known least value. @module */

import { memoryStudies, type Params, type Sampler, Tuner } from '../../../src/tuning/index.js'
import type { Benchmark } from './benchmarks.js'

/** The regret of the best of some trials, one per seed. */
export async function regrets(
  { space, regret }: Benchmark,
  sampler: (options: { seed: number }) => Sampler,
  { seeds, trials }: { seeds: number; trials: number },
): Promise<number[]> {
  const found: number[] = []
  for (let seed = 0; seed < seeds; seed++) {
    const tuner = new Tuner({ space, sampler: sampler({ seed }), storage: memoryStudies() })
    found.push((await tuner.run(({ params }) => regret(params as Params), { trials })).value)
  }
  return found
}

/** The middle of some numbers. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2
}
