/** Follows single values through the steps, for whoever must say which column of the user's they come from. @module */

import { rowSize } from '../core/index.js'
import type { Columns } from '../data/index.js'
import type { Step } from './step.js'

/** The names of the sources of every value of a row. */
export class ColumnSources {
  /** By column. */
  names: Record<string, string[]>

  /** @param columns - Before the first step. */
  constructor(columns: Columns) {
    this.names = Object.fromEntries(Object.keys(columns).map((name) => [name, ownNames(name, columns)]))
  }

  /** @param made - The columns after the step. */
  follow(step: Step, made: Columns): void {
    const before = this.names
    const makes = step.makes === 'rows' ? [] : step.makes
    this.names = Object.fromEntries(
      Object.keys(made).map((name) => {
        const place = makes.indexOf(name)
        const known = before[name]
        if (place < 0 || step.reads === 'all') return [name, known ?? ownNames(name, made)]
        const isApart = step.reads.length === makes.length
        const read = (isApart ? [step.reads[place]!] : step.reads).flatMap((source) => before[source] ?? [source])
        return [name, (!step.mixes && sourcesOf(name, made, read)) || ownNames(name, made, `${step.kind}(${name})`)]
      }),
    )
  }
}

/**
 * @param read - Sources of all values that a column was made of, in order.
 * @returns Undefined where there is no telling which value comes of which.
 */
function sourcesOf(name: string, made: Columns, read: readonly string[]): string[] | undefined {
  const width = rowSize(made[name]!.shape)
  if (width === read.length) return [...read]
  const [first] = read
  return first !== undefined && read.every((source) => source === first)
    ? new Array<string>(width).fill(first)
    : undefined
}

function ownNames(name: string, columns: Columns, called = name): string[] {
  const width = rowSize(columns[name]!.shape)
  return width === 1 ? [called] : Array.from({ length: width }, (_, place) => `${called}[${place}]`)
}
