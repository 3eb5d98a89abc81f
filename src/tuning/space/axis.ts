/**
 * One parameter as a coordinate from 0 to 1, which is all that samplers see.
 *
 * Values that are apart (whole numbers, steps, choices) each own an interval of the coordinate: their bin.
 * @module
 */

import type { ChoiceParameter, NumberParameter, ParameterValue } from './parameter.js'

/** A parameter's coordinate. */
export interface Axis {
  readonly name: string
  readonly parameter: NumberParameter | ChoiceParameter
  /** Number of values, where they are apart. */
  readonly count: number | undefined
  /** Whether the values have no order. */
  readonly unordered: boolean
  /** The coordinate of a value, from 0 to 1; the middle of its bin. */
  toUnit(value: ParameterValue): number
  /** The value at a coordinate, from 0 to 1. */
  fromUnit(unit: number): ParameterValue
  /** Where the value at a coordinate begins and ends; undefined for values that lie without gaps. */
  bin(unit: number): readonly [from: number, to: number] | undefined
  /** Whether a value may be taken. */
  holds(value: unknown): boolean
}

/** The coordinate of a parameter. */
export function axisOf(name: string, parameter: NumberParameter | ChoiceParameter): Axis {
  if (parameter.kind === 'choice') return choiceAxis(name, parameter)
  if (parameter.step === undefined) return continuousAxis(name, parameter)
  return parameter.log ? logIntegerAxis(name, parameter) : steppedAxis(name, parameter, parameter.step)
}

function choiceAxis(name: string, parameter: ChoiceParameter): Axis {
  const { choices } = parameter
  const texts = choices.map((value) => JSON.stringify(value))
  return {
    ...evenBins(name, parameter, choices.length),
    unordered: true,
    toUnit: (value) => (texts.indexOf(JSON.stringify(value)) + 0.5) / choices.length,
    fromUnit: (unit) => choices[binIndex(unit, choices.length)]!,
    holds: (value) => texts.includes(JSON.stringify(value)),
  }
}

function continuousAxis(name: string, parameter: NumberParameter): Axis {
  const { low, high, log } = parameter
  const scale = log ? Math.log : (value: number) => value
  const from = scale(low)
  const width = scale(high) - from
  return {
    name,
    parameter,
    count: undefined,
    unordered: false,
    toUnit: (value) => (scale(value as number) - from) / width,
    fromUnit: (unit) => {
      const value = from + unit * width
      return Math.min(high, Math.max(low, log ? Math.exp(value) : value))
    },
    bin: () => undefined,
    holds: (value) => typeof value === 'number' && value >= low && value <= high,
  }
}

function steppedAxis(name: string, parameter: NumberParameter, step: number): Axis {
  const { low, high } = parameter
  // A little more than the quotient, for 0.3 / 0.1 is less than 3.
  const count = Math.floor((high - low) / step + 1e-9) + 1
  // Steps such as 0.1 add up to 0.30000000000000004, which nobody wants to read.
  const at = (index: number) => Number((low + index * step).toPrecision(15))
  return {
    ...evenBins(name, parameter, count),
    unordered: false,
    toUnit: (value) => (Math.round(((value as number) - low) / step) + 0.5) / count,
    fromUnit: (unit) => at(binIndex(unit, count)),
    holds: (value) => typeof value === 'number' && at(Math.round((value - low) / step)) === value && value <= high,
  }
}

function logIntegerAxis(name: string, parameter: NumberParameter): Axis {
  const { low, high } = parameter
  const from = Math.log(low - 0.5)
  const width = Math.log(high + 0.5) - from
  const place = (value: number) => (Math.log(value) - from) / width
  const fromUnit = (unit: number) => Math.min(high, Math.max(low, Math.round(Math.exp(from + unit * width))))
  return {
    name,
    parameter,
    count: high - low + 1,
    unordered: false,
    toUnit: (value) => place(value as number),
    fromUnit,
    bin: (unit) => [place(fromUnit(unit) - 0.5), place(fromUnit(unit) + 0.5)],
    holds: (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
  }
}

const binIndex = (unit: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor(unit * count)))

function evenBins(name: string, parameter: NumberParameter | ChoiceParameter, count: number) {
  const bin = (unit: number) => {
    const index = binIndex(unit, count)
    return [index / count, (index + 1) / count] as const
  }
  return { name, parameter, count, bin }
}
