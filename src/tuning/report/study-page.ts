/** A study as one page. @module */

import {
  barPlot,
  figures,
  type Palette,
  page,
  plainTable,
  section,
  type Tile,
  themed,
  tiles,
} from '../../evaluation/index.js'
import { nondominatedFronts } from '../samplers/index.js'
import type { Space } from '../space/index.js'
import { completed, type Direction, lossOf, type TrialRecord } from '../study/index.js'
import { type ParameterShare, parameterImportance } from './importance.js'
import { coursePlot, frontPlot, historyPlot, type Outcome, parallelPlot, slicePlot } from './study-plots.js'

/** What the page tells of. */
export interface StudyPageParts {
  readonly trials: readonly TrialRecord[]
  readonly directions: readonly Direction[]
  readonly space: Space
  readonly name: string
}

const MOST_FAILURES = 20

/** Writes the page. */
export function studyPage(parts: StudyPageParts, title: string): string {
  const { trials, directions, name } = parts
  const outcomes = completed(trials)
  const count = (state: TrialRecord['state']) => trials.filter((trial) => trial.state === state).length
  const summary = (['complete', 'pruned', 'failed'] as const).map((state) => ({
    name: state,
    value: String(count(state)),
  }))
  const sections = [tiles([...bestTiles(outcomes, directions), ...summary])]
  if (outcomes.length > 0) sections.push(...sectionsOf(parts, outcomes))
  const reported = trials.filter(({ reports }) => reports.length > 0)
  if (reported.length > 0)
    sections.push(
      section(
        'Course of the trials (pruned ones in the second colour)',
        themed((palette) => coursePlot(reported, palette)),
      ),
    )
  const failures = trials.filter(({ error }) => error)
  if (failures.length > 0) sections.push(section('Failures', failureTable(failures)))
  return page({ title, subtitle: `Study ${name}, ${trials.length} trials, ${directions.join(' and ')}`, sections })
}

function sectionsOf({ directions, space }: StudyPageParts, outcomes: readonly Outcome[]): string[] {
  const several = directions.length > 1
  const front = frontOf(outcomes, directions)
  const shares = parameterImportance(space, outcomes, 0)
  const best = several ? front : [front[0]!]
  const sections = [
    section(several ? 'Pareto front' : 'Best trial', paramsTable(best)),
    section(
      several ? 'Values' : 'History',
      themed((palette) =>
        several
          ? frontPlot(outcomes, new Set(front.map(({ number }) => number)), palette)
          : historyPlot(outcomes, directions[0]!, palette),
      ),
    ),
  ]
  if (shares.length > 0)
    sections.push(
      section(
        'Importance: what each parameter explains by itself',
        themed((palette) => barPlot(shares.map(asBar), 'share of the variance', palette)),
      ),
    )
  const slices = space.axes.map((axis) => ({
    title: axis.name,
    plot: (palette: Palette) => slicePlot(outcomes, axis, palette),
  }))
  return [
    ...sections,
    section(
      'Parallel coordinates',
      themed((palette) => parallelPlot(outcomes, space.axes, palette)),
    ),
    section('Slices', figures(slices)),
  ]
}

/** The trials that none beats; in a study with one direction, the best. */
function frontOf(outcomes: readonly Outcome[], directions: readonly Direction[]): Outcome[] {
  const losses = outcomes.map(({ values }) => values.map((value, i) => lossOf(value, directions[i]!)))
  return nondominatedFronts(losses)[0]!.map((i) => outcomes[i]!)
}

function bestTiles(outcomes: readonly Outcome[], directions: readonly Direction[]): Tile[] {
  if (outcomes.length === 0) return []
  const front = frontOf(outcomes, directions)
  if (directions.length > 1) return [{ name: 'Pareto front', value: String(front.length) }]
  return [{ name: 'best value', value: short(front[0]!.values[0]!), note: `trial ${front[0]!.number}` }]
}

const asBar = ({ name, share, deviation }: ParameterShare) => ({ name, value: share, deviation })

function paramsTable(trials: readonly Outcome[]): string {
  const names = [...new Set(trials.flatMap(({ params }) => Object.keys(params)))]
  const head = [
    'trial',
    ...names,
    ...trials[0]!.values.map((_, i, all) => (all.length > 1 ? `value ${i + 1}` : 'value')),
  ]
  const rows = trials.map(({ number, params, values }) => [
    String(number),
    ...names.map((name) => (params[name] === undefined ? '' : textOf(params[name]))),
    ...values.map(short),
  ])
  return plainTable([head, ...rows])
}

function failureTable(failures: readonly TrialRecord[]): string {
  const shown = failures.slice(0, MOST_FAILURES)
  const rows = shown.map(({ number, params, error }) => [
    String(number),
    Object.entries(params ?? {})
      .map(([name, value]) => `${name} ${textOf(value)}`)
      .join(', '),
    `${error!.name}: ${error!.message}`,
  ])
  const more = failures.length > shown.length ? `<p>and ${failures.length - shown.length} more</p>` : ''
  return plainTable([['trial', 'parameters', 'error'], ...rows]) + more
}

const textOf = (value: unknown) =>
  typeof value === 'number' ? short(value) : typeof value === 'string' ? value : JSON.stringify(value)

const short = (value: number) => String(Number(value.toPrecision(5)))
