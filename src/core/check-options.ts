/** Checks that the options of many parts share. @module */

import { ConfigError } from './errors.js'

/** @throws {ConfigError} if an option is not a whole number of at least `least`. */
export function checkWhole(what: string, value: number, least = 1): void {
  if (Number.isInteger(value) && value >= least) return
  throw new ConfigError(`${what} is out of range.`, {
    expected: `a whole number of at least ${least}`,
    received: value,
  })
}

/** @throws {ConfigError} if an option is not a number between two bounds, these excluded. */
export function checkBetween(what: string, value: number, low: number, high: number): void {
  if (value > low && value < high) return
  throw new ConfigError(`${what} is out of range.`, {
    expected: `a number between ${low} and ${high}`,
    received: value,
  })
}
