/** From sums to means. @module */

import type { Sums } from './job.js'

/** Means of sums, by name. */
export function means(sums: Sums, metrics: readonly string[]): Record<string, number> & { loss: number } {
  const weight = sums.weight || 1
  const values: Record<string, number> & { loss: number } = { loss: sums.loss / weight }
  metrics.forEach((name, i) => {
    values[name] = sums.metrics[i]! / weight
  })
  return values
}
