/** Checks that the options of many parts share. @module */

import { didYouMean } from './did-you-mean.js'
import { ConfigError, type ErrorDetails } from './errors.js'

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

/** @throws {ConfigError} if what was given is of the wrong kind altogether, where no type keeps it out. */
export function checkGiven(isRight: boolean, what: string, details: ErrorDetails): asserts isRight {
  if (!isRight) throw new ConfigError(what, details)
}

/** @throws {ConfigError} if a function is none. @param caller - What needs it, for the message. */
export function checkFunction(caller: string, f: unknown): void {
  checkGiven(typeof f === 'function', `${caller} needs a function.`, { received: f })
}

/** @throws {ConfigError} if there is an option of another name, which would be passed over. @param caller - For the message. */
export function checkNames(caller: string, options: object, known: Readonly<Record<string, true>>): void {
  const names = Object.keys(known)
  for (const name of Object.keys(options))
    checkGiven(name in known, `${caller} has no option '${name}'.`, {
      expected: `one of ${names.join(', ')}`,
      received: name,
      remedy: didYouMean(name, names),
    })
}
