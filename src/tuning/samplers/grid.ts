/** Grid search. @module */

import { ConfigError, checkWhole, didYouMean, withDefaults } from '../../core/index.js'
import type { Axis, ParameterValue, Params, Space } from '../space/index.js'
import type { Sampler } from './sampler.js'

/** Options of `grid`. */
export interface GridOptions {
  /**
   * Values per parameter: one number for all, or numbers by name. Choices, and whole numbers of which there are fewer,
   * take every value.
   * @default 5
   */
  points?: number | Readonly<Record<string, number>>
}

const MOST_COMBINATIONS = 1_000_000

/** Tries every combination once, then ends the study. Numbers are spread evenly from bound to bound. */
export function grid(options: GridOptions = {}): Sampler {
  const { points } = withDefaults('grid', options, { points: 5 })
  for (const [name, count] of Object.entries(typeof points === 'number' ? { grid: points } : points))
    checkWhole(`The number of points of ${name}`, count)
  let known: { space: Space; combinations: Params[] } | undefined
  const combinationsOf = (space: Space) => {
    if (known?.space !== space) known = { space, combinations: combinations(space, points) }
    return known.combinations
  }
  return {
    name: 'grid',
    multiObjective: true,
    limit: (space) => combinationsOf(space).length,
    suggest: ({ number, space }) => ({ params: combinationsOf(space)[number]! }),
  }
}

function combinations(space: Space, points: NonNullable<GridOptions['points']>): Params[] {
  if (typeof points === 'object')
    for (const name of Object.keys(points))
      if (!(name in space.definition))
        throw new ConfigError(`The grid has points for '${name}', which the search space does not have.`, {
          expected: `some of ${Object.keys(space.definition).join(', ')}`,
          remedy: didYouMean(name, Object.keys(space.definition)),
        })
  let found: Record<string, ParameterValue>[] = [{}]
  for (const axis of space.axes) {
    const values = valuesOf(axis, typeof points === 'number' ? points : (points[axis.name] ?? 5))
    found = found.flatMap((params) =>
      space.isActive(axis, params) ? values.map((value) => ({ ...params, [axis.name]: value })) : [params],
    )
    if (found.length > MOST_COMBINATIONS)
      throw new ConfigError(`The grid has more than ${MOST_COMBINATIONS.toLocaleString('en')} combinations.`, {
        remedy: 'Ask for fewer points, or use random()',
      })
  }
  const allowed = found.filter((params) => space.allows(params))
  if (allowed.length === 0) throw new ConfigError('The constraints allow no combination of the grid.')
  return allowed
}

function valuesOf(axis: Axis, points: number): ParameterValue[] {
  if (axis.count !== undefined && (axis.unordered || axis.count <= points))
    return distinct(Array.from({ length: axis.count }, (_, i) => axis.fromUnit((i + 0.5) / axis.count!)))
  const at = (i: number) => (points === 1 ? 0.5 : i / (points - 1))
  return distinct(Array.from({ length: points }, (_, i) => axis.fromUnit(at(i))))
}

const distinct = (values: ParameterValue[]) => [...new Set(values)]
