/** The kinds of parameters of a search space, as plain data. @module */

import { ConfigError, describe, withDefaults } from '../../core/index.js'

/** What a choice may hold: whatever JSON can. */
export type ParameterValue =
  | string
  | number
  | boolean
  | null
  | readonly ParameterValue[]
  | { readonly [key: string]: ParameterValue }

/** A number between two bounds, both included. */
export interface NumberParameter {
  readonly kind: 'number'
  readonly low: number
  readonly high: number
  /** Whether each ratio, rather than each difference, is as likely as another. */
  readonly log: boolean
  /** Distance between the values that may be taken; undefined for every number in between. */
  readonly step?: number
}

/** One of several values without an order. */
export interface ChoiceParameter<T extends ParameterValue = ParameterValue> {
  readonly kind: 'choice'
  readonly choices: readonly T[]
}

/** A parameter that there is only while another has one of some values. */
export interface ConditionalParameter<P extends Parameter = Parameter> {
  readonly kind: 'conditional'
  /** Name of the other parameter. */
  readonly on: string
  readonly values: readonly ParameterValue[]
  readonly parameter: P
}

/** Any parameter. */
export type Parameter = NumberParameter | ChoiceParameter | ConditionalParameter<NumberParameter | ChoiceParameter>

/** Parameters by name. */
export type SpaceDefinition = Readonly<Record<string, Parameter>>

/** The values that a trial of a space gets, by name. */
export type ParamsOf<S extends SpaceDefinition> = { readonly [Name in keyof S]: ValueOf<S[Name]> }

/** The values of one parameter; undefined among them where it is conditional. */
export type ValueOf<P extends Parameter> =
  P extends ConditionalParameter<infer Inner>
    ? ValueOf<Inner> | undefined
    : P extends ChoiceParameter<infer T>
      ? T
      : number

/**
 * A number between `low` and `high`, all equally likely.
 *
 * @param options - `step`: takes only `low`, `low + step`, and so on. Default: every number.
 */
export function uniform(low: number, high: number, options: { step?: number } = {}): NumberParameter {
  const { step } = withDefaults('uniform', options, { step: undefined })
  checkBounds('uniform', low, high)
  if (step === undefined) return { kind: 'number', low, high, log: false }
  if (!(step > 0 && step <= high - low))
    throw new ConfigError('The step of uniform is out of range.', {
      expected: `a number above 0 and at most ${high - low}`,
      received: step,
    })
  return { kind: 'number', low, high, log: false, step }
}

/** A number between `low` and `high` whose logarithm is uniform: for rates and penalties. `low` is above 0. */
export function logUniform(low: number, high: number): NumberParameter {
  checkBounds('logUniform', low, high)
  checkPositive('logUniform', low)
  return { kind: 'number', low, high, log: true }
}

/**
 * A whole number from `low` to `high`, both included.
 *
 * @param options - `step`: default 1. `log`: ratios instead of differences are uniform, with step 1; default false.
 */
export function intUniform(low: number, high: number, options: { step?: number; log?: boolean } = {}): NumberParameter {
  const { step, log } = withDefaults('intUniform', options, { step: 1, log: false })
  for (const [name, value] of Object.entries({ low, high, step }))
    if (!Number.isSafeInteger(value))
      throw new ConfigError(`${name} of intUniform is not a whole number.`, {
        received: value,
        remedy: 'Use uniform for other numbers',
      })
  checkBounds('intUniform', low, high)
  if (step < 1 || step > high - low)
    throw new ConfigError('The step of intUniform is out of range.', {
      expected: `a whole number from 1 to ${high - low}`,
      received: step,
    })
  if (log) {
    checkPositive('intUniform with log', low)
    if (step !== 1) throw new ConfigError('A logarithmic intUniform has step 1.', { received: step })
  }
  return { kind: 'number', low, high, log, step }
}

/**
 * One of several values.
 *
 * @example
 * choice(['relu', 'tanh'])
 */
export function choice<const T extends ParameterValue>(choices: readonly T[]): ChoiceParameter<T> {
  if (!Array.isArray(choices) || choices.length === 0)
    throw new ConfigError('A choice needs values to choose from.', {
      expected: 'an array of at least one',
      received: choices,
    })
  const seen = new Set<string>()
  for (const value of choices) {
    const text = JSON.stringify(value)
    if (text === undefined || (typeof value === 'number' && !Number.isFinite(value)))
      throw new ConfigError('A choice holds a value that cannot be stored.', {
        expected: 'strings, finite numbers, booleans, null, and arrays and objects of them',
        received: value,
        remedy: 'Choose by a name, and look the value up in the objective',
      })
    if (seen.has(text)) throw new ConfigError('A choice holds a value twice.', { received: describe(value) })
    seen.add(text)
  }
  return { kind: 'choice', choices }
}

/**
 * A parameter that a trial has only while another one has a certain value.
 *
 * @param on - Name of the other parameter in the same space.
 * @param values - The value, or an array of several.
 * @example
 * const space = {
 *   optimizer: choice(['sgd', 'adam']),
 *   momentum: conditional('optimizer', 'sgd', uniform(0, 0.99)),
 * }
 */
export function conditional<P extends NumberParameter | ChoiceParameter>(
  on: string,
  values: ParameterValue | readonly ParameterValue[],
  parameter: P,
): ConditionalParameter<P> {
  return { kind: 'conditional', on, values: Array.isArray(values) ? values : [values as ParameterValue], parameter }
}

function checkBounds(kind: string, low: number, high: number): void {
  if (Number.isFinite(low) && Number.isFinite(high) && low < high) return
  throw new ConfigError(`The bounds of ${kind} are not a range.`, {
    expected: 'two finite numbers, the smaller first',
    received: [low, high],
    remedy: low === high ? 'Leave a value that never changes out of the space' : undefined,
  })
}

function checkPositive(kind: string, low: number): void {
  if (low <= 0)
    throw new ConfigError(`The lower bound of ${kind} has no logarithm.`, { expected: 'above 0', received: low })
}
