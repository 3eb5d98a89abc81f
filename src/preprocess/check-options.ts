/** Checks of what a step is made from. @module */

import { ConfigError, checkWhole } from '../core/index.js'

/** Throws a ConfigError unless the options that are given are whole numbers of at least `least`. */
export function checkCounts(kind: string, options: { [name: string]: number | undefined }, least = 0): void {
  for (const [name, value] of Object.entries(options))
    if (value !== undefined) checkWhole(`${name} of ${kind}`, value, least)
}

/** Throws a ConfigError unless the options that are given are finite numbers of `from` to `to`. */
export function checkNumbers(
  kind: string,
  options: { [name: string]: number | undefined },
  { from = -Infinity, to = Infinity }: { from?: number; to?: number } = {},
): void {
  const range = from === -Infinity ? 'a finite number' : `a number from ${from}${to === Infinity ? '' : ` to ${to}`}`
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !(Number.isFinite(value) && value >= from && value <= to))
      throw new ConfigError(`${name} of ${kind} is out of range.`, { expected: range, received: value })
}

/** Throws a ConfigError unless an option is one of some values. */
export function checkChoice(kind: string, name: string, value: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(value))
    throw new ConfigError(`Unknown value of ${name} of ${kind}.`, {
      expected: choices.map((choice) => JSON.stringify(choice)).join(' or '),
      received: value,
    })
}
