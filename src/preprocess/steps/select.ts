/** Some of the columns. @module */

import { columnOf } from '../../data/index.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/** Keeps the named columns and leaves out all others. */
export function select(columns: string | readonly string[]): Step {
  const names = namesOf(columns)
  return {
    kind: 'select',
    options: { columns: names },
    reads: 'all',
    makes: names,
    drops: 'others',
    apply: (columns) => Object.fromEntries(names.map((name) => [name, columnOf(columns, name, 'select')])),
    applyForPrediction: (columns) =>
      Object.fromEntries(names.filter((name) => Object.hasOwn(columns, name)).map((name) => [name, columns[name]!])),
  }
}
