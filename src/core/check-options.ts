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

/** A value, or none, for every option there is. */
type Defaults<Options> = { readonly [Name in keyof Required<Options>]: Options[Name] | undefined }

/** Options of which those with a default are there. */
type Complete<Options, Given> = {
  [Name in keyof Given]: Name extends keyof Options
    ? undefined extends Given[Name]
      ? Options[Name]
      : Exclude<Options[Name], undefined>
    : never
}

/**
 * Options, with defaults in place of those that are left out or undefined.
 *
 * @param caller - What has the options, for the message.
 * @param defaults - The default of each option that there is; undefined for one that has none.
 * @throws {ConfigError} if there is an option of another name, which would be passed over.
 * @example
 * const { momentum, weightDecay } = withDefaults('sgd', options, { momentum: 0, weightDecay: undefined })
 */
export function withDefaults<Options extends object, const Given extends Defaults<Options>>(
  caller: string,
  options: Options,
  defaults: Given,
): Complete<Options, Given> {
  checkNames(caller, options, defaults)
  const complete: Record<string, unknown> = { ...defaults }
  for (const name of Object.keys(defaults)) {
    // Read by name, for options may come from a prototype, such as the getters of a class.
    const given = (options as Readonly<Record<string, unknown>>)[name]
    if (given !== undefined) complete[name] = given
  }
  return complete as Complete<Options, Given>
}

/** @throws {ConfigError} if there is an option of another name, which would be passed over. @param caller - For the message. */
export function checkNames(caller: string, options: object, known: object): void {
  checkGiven(typeof options === 'object' && options !== null, `What was given as options of ${caller} is none.`, {
    expected: 'an object',
    received: options,
  })
  const names = Object.keys(known)
  for (const name of Object.keys(options))
    checkGiven(Object.hasOwn(known, name), `${caller} has no option '${name}'.`, {
      expected: `one of ${names.join(', ')}`,
      received: name,
      remedy: didYouMean(name, names),
    })
}
