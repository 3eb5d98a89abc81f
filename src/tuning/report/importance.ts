/**
 * How much each parameter matters, by functional analysis of variance on a random forest.
 *
 * A forest is fitted to the trials; as each tree is constant on boxes, the variance of its values over the whole space,
 * and the part of it that one parameter explains with all others averaged out, are sums over its leaves.
 *
 * @see Hutter, Hoos and Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance",
 *   https://proceedings.mlr.press/v32/hutter14.html
 * @module
 */

import { Random } from '../../core/index.js'
import type { Params, Space } from '../space/index.js'

const TREES = 64
const SMALLEST_LEAF = 2

/** A box of the space and the value that a tree gives it. */
interface Leaf {
  low: Float64Array
  high: Float64Array
  value: number
}

/** Trials of which the result is known. */
type Outcome = { readonly params: Params; readonly values: readonly number[] }

/** What a parameter explains. */
export interface ParameterShare {
  name: string
  /** Share of the variance, from 0 to 1. */
  share: number
  /** How far the trees of the forest differ, as a standard deviation. */
  deviation: number
}

/** Shares of the variance by parameter, the largest first; none with fewer than two different values. */
export function parameterImportance(space: Space, outcomes: readonly Outcome[], objective: number): ParameterShare[] {
  const points = outcomes.map(({ params }) => space.encode(params))
  const values = standardized(outcomes.map((outcome) => outcome.values[objective]!))
  if (new Set(values).size < 2) return []
  const random = new Random(0)
  const trees: number[][] = []
  for (let tree = 0; tree < TREES; tree++) {
    const sample = points.map(() => random.integer(points.length))
    const shares = varianceShares(growTree(points, values, sample, space.axes.length, random), space.axes.length)
    if (shares) trees.push(shares)
  }
  if (trees.length === 0) return []
  const mean = (of: (shares: number[]) => number) => trees.reduce((sum, shares) => sum + of(shares), 0) / trees.length
  return space.axes
    .map(({ name }, i) => {
      const share = mean((shares) => shares[i]!)
      return { name, share, deviation: Math.sqrt(mean((shares) => (shares[i]! - share) ** 2)) }
    })
    .sort((a, b) => b.share - a.share)
}

/** So that no threshold below depends on the unit of the score. */
function standardized(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1
  return values.map((value) => (value - mean) / deviation)
}

function growTree(
  points: readonly (readonly number[])[],
  values: readonly number[],
  rows: readonly number[],
  dimensions: number,
  random: Random,
): Leaf[] {
  const leaves: Leaf[] = []
  const split = (own: readonly number[], low: Float64Array, high: Float64Array): void => {
    const cut = own.length < 2 * SMALLEST_LEAF ? undefined : bestCut(points, values, own, dimensions, random)
    if (!cut) {
      leaves.push({ low, high, value: own.reduce((sum, row) => sum + values[row]!, 0) / own.length })
      return
    }
    const { dimension, threshold } = cut
    const isLeft = (row: number) => points[row]![dimension]! < threshold
    split(own.filter(isLeft), low, high.with(dimension, threshold))
    split(
      own.filter((row) => !isLeft(row)),
      low.with(dimension, threshold),
      high,
    )
  }
  split(rows, new Float64Array(dimensions), new Float64Array(dimensions).fill(1))
  return leaves
}

/** The cut that leaves the least squares; dimensions are looked at by chance, two thirds of them each time. */
function bestCut(
  points: readonly (readonly number[])[],
  values: readonly number[],
  rows: readonly number[],
  dimensions: number,
  random: Random,
) {
  let best: { dimension: number; threshold: number } | undefined
  let most = 1e-12
  const looked = random.permutation(dimensions).subarray(0, Math.ceil((dimensions * 2) / 3))
  for (const dimension of looked) {
    const order = [...rows].sort((a, b) => points[a]![dimension]! - points[b]![dimension]!)
    const total = order.reduce((sum, row) => sum + values[row]!, 0)
    let left = 0
    for (let i = 1; i < order.length; i++) {
      left += values[order[i - 1]!]!
      const [before, after] = [points[order[i - 1]!]![dimension]!, points[order[i]!]![dimension]!]
      if (before === after || i < SMALLEST_LEAF || order.length - i < SMALLEST_LEAF) continue
      const right = total - left
      const gain = left ** 2 / i + right ** 2 / (order.length - i) - total ** 2 / order.length
      if (gain <= most) continue
      most = gain
      best = { dimension, threshold: (before + after) / 2 }
    }
  }
  return best
}

/** Per dimension, the variance of the tree's mean along it over its variance; undefined for a tree that is flat. */
function varianceShares(leaves: readonly Leaf[], dimensions: number): number[] | undefined {
  const volume = ({ low, high }: Leaf, without = -1) =>
    low.reduce((product, from, i) => (i === without ? product : product * (high[i]! - from)), 1)
  const mean = leaves.reduce((sum, leaf) => sum + volume(leaf) * leaf.value, 0)
  const variance = leaves.reduce((sum, leaf) => sum + volume(leaf) * (leaf.value - mean) ** 2, 0)
  if (variance < 1e-12) return undefined
  return Array.from({ length: dimensions }, (_, dimension) => {
    const edges = [...new Set(leaves.flatMap(({ low, high }) => [low[dimension]!, high[dimension]!]))].sort(
      (a, b) => a - b,
    )
    let explained = 0
    for (let i = 1; i < edges.length; i++) {
      const [from, to] = [edges[i - 1]!, edges[i]!]
      const along = leaves
        .filter(({ low, high }) => low[dimension]! <= from && high[dimension]! >= to)
        .reduce((sum, leaf) => sum + volume(leaf, dimension) * leaf.value, 0)
      explained += (to - from) * (along - mean) ** 2
    }
    return explained / variance
  })
}
