/** What an evaluation found, in every form that somebody may want to read it in. @module */

import { type ClassScores, type ConfusionMatrix, classScores } from '../metrics/index.js'
import { reportPage } from './html.js'
import type { HistoryRecord } from './plots.js'

/** What a page shows beside the values. */
export interface HtmlOptions {
  /** @default 'Evaluation' */
  title?: string
  /** A training history, for curves of loss and metrics. */
  history?: { epochs: readonly HistoryRecord[] }
}

/** A row of the table of classes. */
export interface ClassRow extends ClassScores {
  class: string
}

/** The values of all metrics over all rows. */
export class EvaluationReport {
  /** By the metric's name. */
  readonly values: Record<string, unknown> & { accuracy?: number }
  /** Number of rows. */
  readonly rows: number
  /** Names of the classes, in order; empty without a confusion matrix. */
  readonly classes: readonly string[]

  constructor({
    values,
    rows,
    classes,
  }: { values: Record<string, unknown>; rows: number; classes?: readonly string[] }) {
    this.values = values
    this.rows = rows
    this.classes = (this.matrix ?? []).map((_, i) => classes?.[i] ?? String(i))
  }

  /** The confusion matrix, when that metric was asked for. */
  get matrix(): ConfusionMatrix | undefined {
    return this.values.confusionMatrix as ConfusionMatrix | undefined
  }

  /** Precision, recall and F1 per class; empty without a confusion matrix. */
  get perClass(): ClassRow[] {
    return classScores(this.matrix ?? []).map((scores, i) => ({ class: this.classes[i]!, ...scores }))
  }

  /** Metrics that are one number. */
  get numbers(): [name: string, value: number][] {
    return Object.entries(this.values).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  }

  /** Plain data. */
  toJSON(): { rows: number; values: Record<string, unknown>; classes: readonly string[]; perClass: ClassRow[] } {
    return { rows: this.rows, values: this.values, classes: this.classes, perClass: this.perClass }
  }

  /** For a terminal. */
  toText(): string {
    const parts = [
      alignedTable([['metric', 'value'], ...this.numbers.map(([name, value]) => [name, value.toFixed(4)])]),
    ]
    if (this.matrix) {
      parts.push(alignedTable(this.#classTable()))
      parts.push(`true \\ predicted\n${alignedTable(this.#matrixTable())}`)
    }
    return `${this.rows} rows\n\n${parts.join('\n\n')}\n`
  }

  /** For a README or an issue. */
  toMarkdown(): string {
    const parts = [
      markdownTable([['metric', 'value'], ...this.numbers.map(([name, value]) => [name, value.toFixed(4)])]),
    ]
    if (this.matrix) {
      parts.push(`## Classes\n\n${markdownTable(this.#classTable())}`)
      parts.push(
        `## Confusion matrix\n\nRows: true class. Columns: predicted class.\n\n${markdownTable(this.#matrixTable())}`,
      )
    }
    return `# Evaluation of ${this.rows} rows\n\n${parts.join('\n\n')}\n`
  }

  /** One page that needs no other file, with plots, for light and dark screens. */
  toHTML(options: HtmlOptions = {}): string {
    return reportPage(this, options)
  }

  #classTable(): string[][] {
    const rows = this.perClass.map(({ class: name, precision, recall, f1, support }) => [
      name,
      precision.toFixed(4),
      recall.toFixed(4),
      f1.toFixed(4),
      count(support),
    ])
    return [['class', 'precision', 'recall', 'f1', 'support'], ...rows]
  }

  #matrixTable(): string[][] {
    return [['', ...this.classes], ...this.matrix!.map((row, i) => [this.classes[i]!, ...row.map(count)])]
  }
}

/** Counts are whole, unless rows are weighted. */
const count = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2))

function alignedTable(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n')
}

function markdownTable(rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const [head, ...body] = rows as [string[], ...string[][]]
  return [line(head), `|---|${'---:|'.repeat(head.length - 1)}`, ...body.map(line)].join('\n')
}
