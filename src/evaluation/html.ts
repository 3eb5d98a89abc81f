/** The report as one page. @module */

import type { CalibrationCurve, PrecisionRecallCurve, RocCurve } from '../metrics/index.js'
import type { FeatureImportance } from './permutation-importance.js'
import { barPlot, confusionPlot, curvePlot, type HistoryRecord, type Palette, unitPlot } from './plots.js'
import type { EvaluationReport, HtmlOptions } from './report.js'
import { fairnessText } from './report-tables.js'
import type { SliceTable } from './slices.js'

const light: Palette = {
  text: '#1f2933',
  faint: '#66727f',
  line: '#e4e8ec',
  heat: ['#f5f8fb', '#1769c2'],
  series: [
    '#1769c2',
    '#e07a2f',
    '#2a9d6f',
    '#b5479d',
    '#c9a227',
    '#5b6bd5',
    '#c0453e',
    '#3aa6b9',
    '#7f6a52',
    '#7a8793',
  ],
}

const dark: Palette = {
  text: '#e6eaee',
  faint: '#98a4b0',
  line: '#2c343d',
  heat: ['#20272f', '#3d8fe8'],
  series: [
    '#5ba5f2',
    '#f0984f',
    '#58c99a',
    '#db7fc7',
    '#e3c75a',
    '#93a0f5',
    '#ec827b',
    '#6fd0e0',
    '#b79f83',
    '#a9b5c0',
  ],
}

/** Points of a curve, and features, that a page shows. */
const MOST_POINTS = 400
const MOST_FEATURES = 25

/** Fields of an epoch that are no measurement of the model. */
const notCurves = ['epoch', 'seconds', 'samplesPerSecond']

/** Writes the page. */
export function reportPage(
  report: EvaluationReport,
  { title = 'Evaluation', history, importance = [] }: HtmlOptions,
): string {
  const sections = [tiles(report)]
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
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header><h1>${escapeHtml(title)}</h1><p>${report.rows.toLocaleString('en')} rows evaluated</p></header>
${sections.join('\n')}
</main>
</body>
</html>
`
}

function tiles({ numbers, intervals }: EvaluationReport): string {
  const tile = ([name, value]: [string, number]) => {
    const share = name === 'accuracy' || /^top\d+Accuracy$/.test(name)
    const format = (number: number) => (share ? (number * 100).toFixed(2) : number.toFixed(4))
    const text = share ? `${format(value)}<small> %</small>` : format(value)
    const bounds = intervals[name] ? `<i>${intervals[name].map(format).join(' to ')}</i>` : ''
    return `<div class="tile"><span>${escapeHtml(name)}</span><b>${text}</b>${bounds}</div>`
  }
  return `<section class="tiles">${numbers.map(tile).join('')}</section>`
}

function curves(epochs: readonly HistoryRecord[]): string {
  const names = Object.keys(epochs[0]!).filter((name) => !notCurves.includes(name) && !name.startsWith('val_'))
  return section('Training', figures(names.map((name) => ({ title: name, plot: (p) => curvePlot(epochs, name, p) }))))
}

/** A plot with its heading. */
interface Figure {
  title: string
  plot: (palette: Palette) => string
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

const figures = (list: readonly Figure[]) =>
  `<div class="curves">${list
    .map(({ title, plot }) => `<figure><figcaption>${escapeHtml(title)}</figcaption>${themed(plot)}</figure>`)
    .join('')}</div>`

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

function plainTable([head, ...rows]: string[][]): string {
  const headCells = head!.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')
  const body = rows.map(
    ([first, ...cells]) =>
      `<tr><th scope="row">${escapeHtml(first!)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  )
  return `<table><thead><tr>${headCells}</tr></thead><tbody>${body.join('')}</tbody></table>`
}

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

/** A plot cannot ask which theme the reader has, so it is there twice and the page shows one. */
function themed(plot: (palette: Palette) => string): string {
  return `<div class="plot light">${plot(light)}</div><div class="plot dark" aria-hidden="true">${plot(dark)}</div>`
}

const section = (heading: string, body: string) => `<section><h2>${heading}</h2>${body}</section>`

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const style = `
:root { color-scheme: light dark; --page: #f3f5f7; --card: #fff; --text: #1f2933; --faint: #66727f; --line: #e4e8ec; --bar: #d8e7f8 }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 1040px; margin: 0 auto; padding: 40px 20px 64px }
h1 { margin: 0; font-size: 28px; letter-spacing: -.01em } h2 { margin: 0 0 16px; font-size: 17px }
header p { margin: 4px 0 24px; color: var(--faint) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 24px; margin-bottom: 20px; overflow-x: auto }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; padding: 0; border: 0; background: none }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px }
.tile span { display: block; color: var(--faint); font-size: 13px } .tile b { font-size: 26px; font-weight: 600; font-variant-numeric: tabular-nums }
.tile small { font-size: 16px; font-weight: 400 } .tile i { display: block; color: var(--faint); font: 13px/1.4 system-ui, sans-serif }
.note { margin: 12px 0 0; color: var(--faint); font-size: 13px }
.curves { display: flex; flex-wrap: wrap; gap: 20px } figure { margin: 0 } figcaption { color: var(--faint); font-size: 13px }
.plot svg { max-width: 100%; height: auto } .dark { display: none }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: 7px 12px; text-align: right; border-bottom: 1px solid var(--line) } th:first-child { text-align: left }
thead th { color: var(--faint); font-weight: 500; font-size: 13px } tbody tr:last-child > * { border-bottom: 0 }
.bar { display: inline-block; width: 100%; max-width: 180px; padding: 1px 8px; border-radius: 4px; background: linear-gradient(90deg, var(--bar) var(--share), transparent 0) }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161b; --card: #1a2027; --text: #e6eaee; --faint: #98a4b0; --line: #2c343d; --bar: #22405f }
  .light { display: none } .dark { display: block }
}
`
