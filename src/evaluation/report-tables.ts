/** A report as tables of text. @module */

import type { EvaluationReport } from './report.js'
import type { Fairness, SliceTable } from './slices.js'
import type { WorstRow } from './worst-rows.js'

/** A table with its heading. */
export interface ReportTable {
  /** None above the metrics. */
  title?: string
  /** The first row is the head. */
  cells: string[][]
  /** A line below. */
  note?: string
}

/** The tables of a report, the metrics first. */
export function reportTables(report: EvaluationReport): ReportTable[] {
  const tables: ReportTable[] = [{ cells: metricTable(report) }]
  if (report.matrix) tables.push({ title: 'Classes', cells: classTable(report) })
  if (report.matrix)
    tables.push({
      title: 'Confusion matrix',
      cells: matrixTable(report),
      note: 'Rows: true class. Columns: predicted class.',
    })
  for (const table of report.slices) tables.push(sliceTable(table))
  if (report.worst.length > 0) tables.push({ title: 'Worst rows', cells: worstTable(report) })
  return tables
}

/** Columns of equal width: names to the left, numbers to the right. */
export function alignedTable(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n')
}

/** The same in Markdown. */
export function markdownTable(rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const [head, ...body] = rows as [string[], ...string[][]]
  return [line(head), `|---|${'---:|'.repeat(head.length - 1)}`, ...body.map(line)].join('\n')
}

/** Counts are whole, unless rows are weighted. */
const countText = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2))

/** Gaps between groups in words. */
export function fairnessText(fairness: Fairness): string {
  const { demographicParityDifference: gap, demographicParityRatio: ratio } = fairness
  return (
    `Demographic parity: difference ${gap.toFixed(4)}, ratio ${ratio.toFixed(4)}. ` +
    `Equal opportunity: difference ${fairness.equalOpportunityDifference.toFixed(4)}. ` +
    `Equalized odds: difference ${fairness.equalizedOddsDifference.toFixed(4)}.`
  )
}

function metricTable({ numbers, intervals }: EvaluationReport): string[][] {
  const hasIntervals = Object.keys(intervals).length > 0
  const rows = numbers.map(([name, value]) => {
    const interval = intervals[name]
    const bounds = interval ? interval.map((bound) => bound.toFixed(4)).join(' to ') : ''
    return [name, value.toFixed(4), ...(hasIntervals ? [bounds] : [])]
  })
  return [['metric', 'value', ...(hasIntervals ? ['interval'] : [])], ...rows]
}

function classTable({ perClass }: EvaluationReport): string[][] {
  const rows = perClass.map(({ class: name, precision, recall, f1, support }) => [
    name,
    precision.toFixed(4),
    recall.toFixed(4),
    f1.toFixed(4),
    countText(support),
  ])
  return [['class', 'precision', 'recall', 'f1', 'support'], ...rows]
}

function matrixTable({ matrix, classes }: EvaluationReport): string[][] {
  return [['true \\ predicted', ...classes], ...matrix!.map((row, i) => [classes[i]!, ...row.map(countText)])]
}

function sliceTable({ column, slices, fairness }: SliceTable): ReportTable {
  const names = [
    ...new Set(slices.flatMap(({ values }) => Object.keys(values).filter((name) => typeof values[name] === 'number'))),
  ]
  const hasRates = slices.some(({ rates }) => rates)
  const rows = slices.map(({ value, rows, values, rates }) => [
    value,
    String(rows),
    ...names.map((name) => (typeof values[name] === 'number' ? values[name].toFixed(4) : '')),
    ...(rates
      ? [rates.selectionRate, rates.truePositiveRate, rates.falsePositiveRate].map((rate) => rate.toFixed(4))
      : []),
  ])
  const head = [
    column,
    'rows',
    ...names,
    ...(hasRates ? ['selection rate', 'true positive rate', 'false positive rate'] : []),
  ]
  return { title: `By ${column}`, cells: [head, ...rows], ...(fairness ? { note: fairnessText(fairness) } : {}) }
}

function worstTable({ worst, classes }: EvaluationReport): string[][] {
  const named = (value: WorstRow['truth']) =>
    Array.isArray(value) ? value.map((each) => each.toPrecision(4)).join(', ') : (classes[value] ?? countText(value))
  const rows = worst.map(({ row, loss, truth, predicted, probability }) => [
    String(row),
    named(truth),
    named(predicted),
    probability?.toFixed(4) ?? '',
    loss.toFixed(4),
  ])
  return [['row', 'true', 'predicted', 'probability', 'loss'], ...rows]
}
