/** The report as one page. @module */

import { withDefaults } from '../core/index.js'
import type { CalibrationCurve, PrecisionRecallCurve, RocCurve } from '../metrics/index.js'
import type { Interval } from './confidence.js'
import { escapeHtml, type Figure, figures, page, plainTable, section, type Tile, themed, tiles } from './page.js'
import type { FeatureImportance } from './permutation-importance.js'
import { barPlot, confusionPlot, curvePlot, type HistoryRecord, unitPlot } from './plots.js'
import type { EvaluationReport, HtmlOptions } from './report.js'
import { fairnessText } from './report-tables.js'
import type { SliceTable } from './slices.js'

/** Points of a curve, and features, that a page shows. */
const MOST_POINTS = 400
const MOST_FEATURES = 25

/** Fields of an epoch that are no measurement of the model. */
const notCurves = ['epoch', 'seconds', 'samplesPerSecond']

/** Writes the page. */
export function reportPage(report: EvaluationReport, options: HtmlOptions): string {
  const { title, history, importance } = withDefaults('toHTML', options, {
    title: 'Evaluation',
    history: undefined,
    importance: [],
  })
  const { numbers, intervals } = report
  const sections = [tiles(numbers.map(([name, value]) => tileOf(name, value, intervals[name])))]
  if (history && history.epochs.length > 0) sections.push(curves(history.epochs))
  if (report.matrix) {
    const { matrix, classes } = report
    sections.push(
      section(
        'Confusion matrix',
        themed((palette) => confusionPlot(matrix, classes, palette)),
      ),
      section('Classes', classTable(report)),
    )
  }
  const plots = scorePlots(report)
  if (plots.length > 0) sections.push(section('Scores', figures(plots)))
  for (const table of report.slices)
    sections.push(section(`By ${escapeHtml(table.column)}`, sliceSection(report, table)))
  if (importance.length > 0)
    sections.push(
      section(
        'What the model reads',
        themed((palette) => barPlot(importance.slice(0, MOST_FEATURES).map(asBar), 'loss when shuffled', palette)),
      ),
    )
  if (report.worst.length > 0) sections.push(section('Worst rows', plainTable(tableOf(report, 'Worst rows'))))
  return page({ title, subtitle: `${report.rows.toLocaleString('en')} rows evaluated`, sections })
}

function tileOf(name: string, value: number, interval: Interval | undefined): Tile {
  const share = name === 'accuracy' || /^top\d+Accuracy$/.test(name)
  const format = (number: number) => (share ? (number * 100).toFixed(2) : number.toFixed(4))
  return {
    name,
    value: format(value),
    ...(share ? { unit: '%' } : {}),
    ...(interval ? { note: interval.map(format).join(' to ') } : {}),
  }
}

function curves(epochs: readonly HistoryRecord[]): string {
  const names = Object.keys(epochs[0]!).filter((name) => !notCurves.includes(name) && !name.startsWith('val_'))
  return section('Training', figures(names.map((name) => ({ title: name, plot: (p) => curvePlot(epochs, name, p) }))))
}

/** The curves over thresholds, and of calibration, that were asked for. */
function scorePlots({ values, classes }: EvaluationReport): Figure[] {
  const figures: Figure[] = []
  const named = (i: number, count: number) => (count === 1 ? 'model' : (classes[i] ?? String(i)))
  const roc = values.rocCurve as RocCurve[] | undefined
  if (roc) {
    const lines = roc.map((curve, i) => ({
      name: named(i, roc.length),
      points: thinned(curve.falsePositiveRate, curve.truePositiveRate),
    }))
    const axes = { x: 'false positive rate', y: 'true positive rate', diagonal: true }
    figures.push({ title: 'ROC', plot: (palette) => unitPlot(lines, axes, palette) })
  }
  const recalls = values.precisionRecallCurve as PrecisionRecallCurve[] | undefined
  if (recalls) {
    const lines = recalls.map((curve, i) => ({
      name: named(i, recalls.length),
      points: thinned(curve.recall, curve.precision),
    }))
    const axes = { x: 'recall', y: 'precision', diagonal: false }
    figures.push({ title: 'Precision and recall', plot: (palette) => unitPlot(lines, axes, palette) })
  }
  const calibration = values.calibrationCurve as CalibrationCurve | undefined
  if (calibration) {
    const lines = [{ name: 'model', points: thinned(calibration.predicted, calibration.observed) }]
    const axes = { x: 'probability', y: 'share that came true', diagonal: true }
    figures.push({ title: 'Calibration', plot: (palette) => unitPlot(lines, axes, palette) })
  }
  return figures
}

/** Points of a curve, no more than a plot can show. */
function thinned(x: readonly number[], y: readonly number[]): [number, number][] {
  const stride = Math.max(1, Math.floor(x.length / MOST_POINTS))
  return x.flatMap((value, i): [number, number][] => (i % stride === 0 || i === x.length - 1 ? [[value, y[i]!]] : []))
}

const asBar = ({ feature, importance, deviation }: FeatureImportance) => ({
  name: feature,
  value: importance,
  deviation,
})

function sliceSection(report: EvaluationReport, { column, fairness }: SliceTable): string {
  const table = plainTable(tableOf(report, `By ${column}`))
  return fairness ? `${table}<p class="note">${escapeHtml(fairnessText(fairness))}</p>` : table
}

const tableOf = (report: EvaluationReport, title: string) => report.tables.find((table) => table.title === title)!.cells

function classTable(report: EvaluationReport): string {
  const bar = (value: number) =>
    `<td><span class="bar" style="--share:${(value * 100).toFixed(1)}%">${value.toFixed(4)}</span></td>`
  const rows = report.perClass.map(
    (row) =>
      `<tr><th scope="row">${escapeHtml(row.class)}</th>${bar(row.precision)}${bar(row.recall)}${bar(row.f1)}` +
      `<td>${Number(row.support.toFixed(2)).toLocaleString('en')}</td></tr>`,
  )
  const head = ['class', 'precision', 'recall', 'F1', 'support'].map((name) => `<th scope="col">${name}</th>`)
  return `<table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}
