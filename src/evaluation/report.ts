/** What an evaluation found, in every form that somebody may want to read it in. @module */

import { type ClassScores, type ConfusionMatrix, classScores } from '../metrics/index.js'
import type { Interval } from './confidence.js'
import { reportPage } from './html.js'
import type { FeatureImportance } from './permutation-importance.js'
import type { HistoryRecord } from './plots.js'
import { alignedTable, markdownTable, type ReportTable, reportTables } from './report-tables.js'
import type { SliceTable } from './slices.js'
import type { WorstRow } from './worst-rows.js'

/** What a page shows beside the values. */
export interface HtmlOptions {
  /** @default 'Evaluation' */
  title?: string
  /** A training history, for curves of loss and metrics. */
  history?: { epochs: readonly HistoryRecord[] }
  /** What `permutationImportance` found. */
  importance?: readonly FeatureImportance[]
}

/** What an evaluation found. */
export interface Findings {
  values: Record<string, unknown>
  rows: number
  classes?: readonly string[]
  intervals?: Readonly<Record<string, Interval>>
  slices?: readonly SliceTable[]
  worst?: readonly WorstRow[]
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
  /** Names of the classes, in order: those given, else their numbers; empty where neither is known. */
  readonly classes: readonly string[]
  /** Where values would lie on other data of the same kind, by the metric's name; empty unless asked for. */
  readonly intervals: Readonly<Record<string, Interval>>
  /** The same metrics on parts of the rows; empty unless asked for. */
  readonly slices: readonly SliceTable[]
  /** The rows that the model is most wrong about, the worst first; empty unless asked for. */
  readonly worst: readonly WorstRow[]

  constructor({ values, rows, classes, intervals = {}, slices = [], worst = [] }: Findings) {
    this.values = values
    this.rows = rows
    this.classes = this.matrix?.map((_, i) => classes?.[i] ?? String(i)) ?? classes ?? []
    this.intervals = intervals
    this.slices = slices
    this.worst = worst
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
  toJSON(): Required<Findings> & { perClass: ClassRow[] } {
    const { rows, values, intervals, classes, perClass, slices, worst } = this
    return { rows, values, intervals, classes, perClass, slices, worst }
  }

  /** For a terminal. */
  toText(): string {
    const parts = this.tables.map(({ title, note, cells }) =>
      [...(title ? [title] : []), alignedTable(cells), ...(note ? [note] : [])].join('\n'),
    )
    return `${this.rows} rows\n\n${parts.join('\n\n')}\n`
  }

  /** For a README or an issue. */
  toMarkdown(): string {
    const parts = this.tables.map(({ title, note, cells }) =>
      [...(title ? [`## ${title}`] : []), markdownTable(cells), ...(note ? [note] : [])].join('\n\n'),
    )
    return `# Evaluation of ${this.rows} rows\n\n${parts.join('\n\n')}\n`
  }

  /** One page that needs no other file, with plots, for light and dark screens. */
  toHTML(options: HtmlOptions = {}): string {
    return reportPage(this, options)
  }

  /** Everything that a reader sees as a table, the metrics first. */
  get tables(): ReportTable[] {
    return reportTables(this)
  }
}
