/** What examples share: their size, their data, and how they tell whether they met their target. @module */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from 'dcml'

/** Whether `--quick` was asked for: less data, fewer epochs, lower targets, so that a run takes seconds. */
export const quick = process.env.DCML_EXAMPLES === 'quick'

/** Path of a file or folder below DCML_DATA_DIR. Where it is not there, the example ends without a failure. */
export function dataPath(path: string, origin: string): string {
  const full = join(process.env.DCML_DATA_DIR ?? '', path)
  if (process.env.DCML_DATA_DIR && existsSync(full)) return full
  console.log(`Skipped: there is no ${path} in the folder that DCML_DATA_DIR names. It comes from ${origin}`)
  process.exit(0)
}

/** A random number of at least `low`, below `high`. */
export const between = (random: Random, low: number, high: number) => low + (high - low) * random.uniform()

/** Ends the example with a failure when it misses its target. */
export function expectAtLeast(what: string, value: number, target: number): void {
  console.log(`${what}: ${value.toFixed(4)} (target: at least ${target})`)
  if (!(value >= target)) process.exitCode = 1
}

/** As `expectAtLeast`, for what shall be small. */
export function expectAtMost(what: string, value: number, target: number): void {
  console.log(`${what}: ${value.toFixed(4)} (target: at most ${target})`)
  if (!(value <= target)) process.exitCode = 1
}
