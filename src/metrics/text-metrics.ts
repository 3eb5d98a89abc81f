/** Metrics of texts against what they should read. They take texts where other metrics take numbers. @module */

import { ConfigError, checkWhole, ShapeError, withDefaults } from '../core/index.js'
import type { Metric } from './metric.js'

/** Texts and what they should read. */
export interface TextPairs {
  /** The right text of each row; for `bleu` there may be several. */
  truth: readonly (string | readonly string[])[]
  predicted: readonly string[]
}

/** A metric of texts. */
export type TextMetric<State> = Metric<State, number, TextPairs>

/** Edits, and the length of what was right. */
export interface EditState {
  edits: number
  length: number
}

/** Counts of runs of words, by their length from 1. */
export interface BleuState {
  matches: number[]
  runs: number[]
  predictedLength: number
  truthLength: number
}

/**
 * Insertions, deletions and substitutions that turn one sequence into the other, at least.
 *
 * @see Levenshtein 1966; Wagner and Fischer 1974, https://doi.org/10.1145/321796.321811
 */
export function editDistance<T>(from: ArrayLike<T>, to: ArrayLike<T>): number {
  let distances = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++)
      next.push(Math.min(distances[j]! + Number(from[i] !== to[j]), distances[j + 1]! + 1, next[j]! + 1))
    distances = next
  }
  return distances[to.length]!
}

/** Word error rate: edits of words over words of the right texts, all rows together. May exceed 1. */
export const wer = (): TextMetric<EditState> => errorRate('wer', wordsOf)

/** Character error rate: the same for characters (code points). */
export const cer = (): TextMetric<EditState> => errorRate('cer', (text) => [...text])

/**
 * BLEU of all rows together, 0 to 1: geometric mean of the shares of runs of 1 to `maxOrder` words that are right,
 * times exp(1 - right length / length) where the predictions are shorter.
 *
 * @param options - `maxOrder`, default 4.
 * @see Papineni et al. 2002, https://aclanthology.org/P02-1040
 */
export function bleu(options: { maxOrder?: number } = {}): TextMetric<BleuState> {
  const { maxOrder } = withDefaults('bleu', options, { maxOrder: 4 })
  checkWhole('maxOrder of bleu', maxOrder)
  const zeros = () => new Array<number>(maxOrder).fill(0)
  return {
    name: 'bleu',
    create: () => ({ matches: zeros(), runs: zeros(), predictedLength: 0, truthLength: 0 }),
    update(state, pairs) {
      eachPair(pairs, (predicted, truths) => countRuns(state, wordsOf(predicted), truths.map(wordsOf)))
    },
    merge(into, other) {
      for (const key of ['matches', 'runs'] as const)
        other[key].forEach((count, i) => {
          into[key][i]! += count
        })
      into.predictedLength += other.predictedLength
      into.truthLength += other.truthLength
    },
    compute({ matches, runs, predictedLength, truthLength }) {
      if (matches.some((count) => count === 0)) return 0
      const logs = matches.reduce((sum, count, i) => sum + Math.log(count / runs[i]!), 0)
      const brevity = Math.min(0, 1 - truthLength / predictedLength)
      return Math.exp(logs / maxOrder + brevity)
    },
  }
}

/**
 * Metrics of texts.
 *
 * @throws {ShapeError} if there is not one prediction for each row.
 * @example
 * evaluateTexts({ truth: ['the cat sat'], predicted: ['the cat sits'] }, [wer(), cer()]).wer   // 0.333
 */
export function evaluateTexts(pairs: TextPairs, metrics: readonly TextMetric<unknown>[]): Record<string, number> {
  return Object.fromEntries(
    metrics.map((metric) => {
      const state = metric.create()
      metric.update(state, pairs)
      return [metric.name, metric.compute(state)]
    }),
  )
}

function errorRate(name: string, partsOf: (text: string) => string[]): TextMetric<EditState> {
  return {
    name,
    create: () => ({ edits: 0, length: 0 }),
    update(state, pairs) {
      eachPair(pairs, (predicted, [truth = '', ...others]) => {
        if (others.length > 0)
          throw new ConfigError(`'${name}' compares with one right text per row.`, { received: `${others.length + 1}` })
        const right = partsOf(truth)
        state.edits += editDistance(partsOf(predicted), right)
        state.length += right.length
      })
    },
    merge(into, other) {
      into.edits += other.edits
      into.length += other.length
    },
    compute: ({ edits, length }) => (length === 0 ? Math.sign(edits) : edits / length),
  }
}

function eachPair(
  { truth, predicted }: TextPairs,
  visit: (predicted: string, truths: readonly string[]) => void,
): void {
  if (truth.length !== predicted.length)
    throw new ShapeError('The predicted texts do not match the truth.', {
      expected: `${truth.length} rows`,
      received: `${predicted.length} rows`,
    })
  predicted.forEach((text, row) => {
    const right = truth[row]!
    visit(text, typeof right === 'string' ? [right] : right)
  })
}

function countRuns(state: BleuState, words: string[], truths: string[][]): void {
  state.predictedLength += words.length
  // The right text whose length is nearest; the shorter of two.
  const lengths = truths.map(({ length }) => length)
  state.truthLength += lengths.reduce((best, length) => {
    const gap = Math.abs(length - words.length) - Math.abs(best - words.length)
    return gap < 0 || (gap === 0 && length < best) ? length : best
  })
  for (let order = 1; order <= state.runs.length; order++) {
    const allowed = new Map<string, number>()
    for (const truth of truths)
      for (const [run, count] of runsOf(truth, order)) allowed.set(run, Math.max(count, allowed.get(run) ?? 0))
    for (const [run, count] of runsOf(words, order)) {
      state.matches[order - 1]! += Math.min(count, allowed.get(run) ?? 0)
      state.runs[order - 1]! += count
    }
  }
}

function runsOf(words: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let start = 0; start + order <= words.length; start++) {
    const run = words.slice(start, start + order).join(' ')
    counts.set(run, (counts.get(run) ?? 0) + 1)
  }
  return counts
}

const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== '')
