/**
 * Metrics of rankings, as of search results and recommendations.
 *
 * Each row is a query: its truth `[rows, items]` says how relevant each item is (0: not at all), its scores
 * `[rows, items]` order them. A score of -Infinity marks an item that the query does not have, for lists of unequal
 * length. Of equal scores the earlier item comes first, except in `ndcg`, which takes the mean over their orders.
 * @module
 */

import { checkWhole, DataError, ShapeError, withDefaults } from '../core/index.js'
import { meanOverRows, type WeightedSum } from './mean-over-rows.js'
import { type Metric, type Predictions, scoresFor, widthOf } from './metric.js'

/** How many of the first items count. */
export interface CutOff {
  /** @default all items */
  k?: number
}

/**
 * Discounted gain of the ranking, sum of relevance / log2(1 + rank), over that of the best possible one; mean over
 * queries. Queries without a relevant item count 0.
 *
 * @see Järvelin and Kekäläinen 2002, https://doi.org/10.1145/582415.582418; ties: McSherry and Najork 2008
 */
export const ndcg = (options: CutOff = {}): Metric<WeightedSum, number> =>
  overQueries('ndcg', withDefaults('ndcg', options, { k: undefined }).k, ({ relevance, scores }, limit) => {
    const best = gain(
      [...relevance].sort((a, b) => b - a),
      limit,
    )
    if (best === 0) return 0
    let sum = 0
    // Items with equal scores share the mean of their relevance: the mean over all their orders.
    for (let start = 0; start < scores.length; ) {
      let end = start
      let group = 0
      for (; end < scores.length && scores[end] === scores[start]; end++) group += relevance[end]!
      for (let rank = start; rank < Math.min(end, limit); rank++) sum += (group / (end - start)) * discount(rank)
      start = end
    }
    return sum / best
  })

/**
 * Mean over queries of the average precision: the mean of the precision at each relevant item. Queries without a
 * relevant item count 0.
 *
 * With `k`, over the relevant items among the first k.
 */
export const meanAveragePrecision = (options: CutOff = {}): Metric<WeightedSum, number> =>
  overQueries(
    'meanAveragePrecision',
    withDefaults('meanAveragePrecision', options, { k: undefined }).k,
    ({ relevance }, limit) => {
      let found = 0
      let sum = 0
      relevance.slice(0, limit).forEach((value, rank) => {
        if (value > 0) sum += ++found / (rank + 1)
      })
      return found === 0 ? 0 : sum / found
    },
  )

/** Mean reciprocal rank: 1 / the rank of the first relevant item, 0 without one among the first `k`; mean over queries. */
export const mrr = (options: CutOff = {}): Metric<WeightedSum, number> =>
  overQueries('mrr', withDefaults('mrr', options, { k: undefined }).k, ({ relevance }, limit) => {
    const first = relevance.slice(0, limit).findIndex((value) => value > 0)
    return first < 0 ? 0 : 1 / (first + 1)
  })

/** Share of queries with a relevant item among the first `k`. @param options - `k`, default 10. */
export const hitRate = (options: CutOff = {}): Metric<WeightedSum, number> => {
  const { k } = withDefaults('hitRate', options, { k: 10 })
  return overQueries(`hitRateAt${k}`, k, ({ relevance }, limit) =>
    Number(relevance.slice(0, limit).some((value) => value > 0)),
  )
}

/**
 * Share of the relevant items that are among the first `k`; mean over queries, 0 for those without one.
 *
 * @param options - `k`, default 10.
 */
export const recallAtK = (options: CutOff = {}): Metric<WeightedSum, number> => {
  const { k } = withDefaults('recallAtK', options, { k: 10 })
  return overQueries(`recallAt${k}`, k, ({ relevance }, limit) => {
    const all = countRelevant(relevance)
    return all === 0 ? 0 : countRelevant(relevance.slice(0, limit)) / all
  })
}

/** Share of the first `k` items that are relevant; mean over queries. @param options - `k`, default 10. */
export const precisionAtK = (options: CutOff = {}): Metric<WeightedSum, number> => {
  const { k } = withDefaults('precisionAtK', options, { k: 10 })
  return overQueries(`precisionAt${k}`, k, ({ relevance }) => countRelevant(relevance.slice(0, k)) / k)
}

/** The items of a query, by falling score. */
interface RankedItems {
  relevance: number[]
  scores: number[]
}

function overQueries(
  name: string,
  k: number | undefined,
  value: (items: RankedItems, limit: number) => number,
): Metric<WeightedSum, number> {
  if (k !== undefined) checkWhole(`k of ${name}`, k)
  return meanOverRows(name, (batch) => {
    const query = queriesOf(name, batch)
    return (row) => value(query(row), k ?? Infinity)
  })
}

function queriesOf(name: string, batch: Predictions): (row: number) => RankedItems {
  const { truth } = batch
  const { data, shape } = scoresFor(name, batch)
  const width = widthOf(truth)
  if (widthOf({ data, shape }) !== width)
    throw new ShapeError(`The scores for '${name}' do not match the truth.`, {
      expected: `[rows, ${width}], a score for each item`,
      received: `[${shape.join(', ')}]`,
    })
  return (row) => {
    const items: number[] = []
    for (let item = row * width; item < (row + 1) * width; item++) {
      const relevance = truth.data[item]!
      if (!(relevance >= 0))
        throw new DataError(`The relevance of item ${item - row * width} of row ${row} is out of range.`, {
          expected: 'a number of at least 0',
          received: relevance,
        })
      if (data[item] !== -Infinity) items.push(item)
    }
    items.sort((a, b) => data[b]! - data[a]! || a - b)
    return { relevance: items.map((item) => truth.data[item]!), scores: items.map((item) => data[item]!) }
  }
}

const discount = (rank: number) => 1 / Math.log2(rank + 2)

const gain = (relevance: readonly number[], limit: number) =>
  relevance.slice(0, limit).reduce((sum, value, rank) => sum + value * discount(rank), 0)

const countRelevant = (relevance: readonly number[]) => relevance.filter((value) => value > 0).length
