/** The figures for people. @module */

import { alignColumns } from './align.js'
import type { Contender } from './cases.js'
import type { CaseFigures } from './figures.js'

// Rounds on a machine that does nothing else differ by less.
const QUIET = 1.25

/** A table with a line per case and a column per library, then why figures are missing, then the targets. */
export function formatTable(cases: readonly CaseFigures[]): string {
  const columns = [...new Set(cases.flatMap(({ results }) => Object.keys(results) as Contender[]))]
  const rows = [
    ['us per sample', ...columns],
    ...cases.map((figures) => [figures.name, ...columns.map((column) => cell(figures, column))]),
  ]
  const lines = alignColumns(rows, Number.POSITIVE_INFINITY)
  const brackets = 'In brackets: how many times as fast as it dcml is.'
  return [...lines, '', brackets, ...settings(cases), ...spread(cases), ...reasons(cases), ...targets(cases)].join('\n')
}

function cell({ results, ratios }: CaseFigures, contender: Contender): string {
  const result = results[contender]
  if (!result || !('median' in result)) return '-'
  const time = result.median < 999.5 ? result.median.toPrecision(3) : result.median.toFixed(0)
  const ratio = ratios[contender]
  return ratio === undefined ? time : `${time} (${ratio.toFixed(2)})`
}

/** How the libraries were set, where they tell. */
function settings(cases: readonly CaseFigures[]): string[] {
  return cases.flatMap(({ name, results }) =>
    Object.entries(results).flatMap(([contender, result]) =>
      'settings' in result && result.settings ? [`${contender} in ${name}: ${result.settings}`] : [],
    ),
  )
}

/** Tells when the rounds of one measurement differ so much that the medians mean little. */
function spread(cases: readonly CaseFigures[]): string[] {
  let worst = { times: 1, where: '' }
  for (const { name, results } of cases)
    for (const [contender, result] of Object.entries(results)) {
      if (!('median' in result)) continue
      const times = Math.max(...result.rounds) / Math.min(...result.rounds)
      if (times > worst.times) worst = { times, where: `${contender} in ${name}` }
    }
  if (worst.times < QUIET) return []
  return [`Not a quiet machine: rounds differ up to ${worst.times.toFixed(1)} times (${worst.where}).`]
}

/** Each reason once, with the cases that it holds for. */
function reasons(cases: readonly CaseFigures[]): string[] {
  const names = new Map<string, string[]>()
  for (const { name, results } of cases)
    for (const [contender, result] of Object.entries(results)) {
      if ('median' in result) continue
      const reason = `${contender}: ${'skipped' in result ? result.skipped : result.error}`
      names.set(reason, [...(names.get(reason) ?? []), name])
    }
  return [...names].map(([reason, of]) => `No figure of ${reason} (${of.join(', ')})`)
}

function targets(cases: readonly CaseFigures[]): string[] {
  return cases.flatMap(({ name, target }) => {
    if (!target) return []
    const { over, atLeast, aim, ratio, met } = target
    const better = aim === undefined ? '' : `, aim ${aim}`
    return [`Target of ${name}: ${atLeast} times ${over}${better}; ${met ? 'met' : 'missed'} with ${ratio.toFixed(2)}.`]
  })
}
