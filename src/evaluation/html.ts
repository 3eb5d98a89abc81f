/** The report as one page. @module */

import { confusionPlot, curvePlot, type HistoryRecord, type Palette } from './plots.js'
import type { EvaluationReport, HtmlOptions } from './report.js'

const light: Palette = {
  text: '#1f2933',
  faint: '#66727f',
  line: '#e4e8ec',
  heat: ['#f5f8fb', '#1769c2'],
  series: ['#1769c2', '#e07a2f'],
}

const dark: Palette = {
  text: '#e6eaee',
  faint: '#98a4b0',
  line: '#2c343d',
  heat: ['#20272f', '#3d8fe8'],
  series: ['#5ba5f2', '#f0984f'],
}

/** Fields of an epoch that are no measurement of the model. */
const notCurves = ['epoch', 'seconds', 'samplesPerSecond']

/** Writes the page. */
export function reportPage(report: EvaluationReport, { title = 'Evaluation', history }: HtmlOptions): string {
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

function tiles({ numbers }: EvaluationReport): string {
  const tile = ([name, value]: [string, number]) => {
    const share = name === 'accuracy' || /^top\d+Accuracy$/.test(name)
    const text = share ? `${(value * 100).toFixed(2)}<small> %</small>` : value.toFixed(4)
    return `<div class="tile"><span>${escapeHtml(name)}</span><b>${text}</b></div>`
  }
  return `<section class="tiles">${numbers.map(tile).join('')}</section>`
}

function curves(epochs: readonly HistoryRecord[]): string {
  const names = Object.keys(epochs[0]!).filter((name) => !notCurves.includes(name) && !name.startsWith('val_'))
  const plots = names.map(
    (name) =>
      `<figure><figcaption>${escapeHtml(name)}</figcaption>${themed((p) => curvePlot(epochs, name, p))}</figure>`,
  )
  return section('Training', `<div class="curves">${plots.join('')}</div>`)
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
.tile small { font-size: 16px; font-weight: 400 }
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
