export { type ConfidenceOptions, type Interval, type PairedDifference, pairedBootstrap } from './confidence.js'
export { draw, font, type Palette } from './draw.js'
export {
  type Evaluable,
  Evaluator,
  type EvaluatorOptions,
  evaluatePredictions,
  type PredictionsOptions,
} from './evaluator.js'
export { type Answers, type McNemarResult, mcnemar } from './mcnemar.js'
export { figures, page, plainTable, section, type Tile, themed, tiles } from './page.js'
export { type FeatureImportance, type ImportanceOptions, permutationImportance } from './permutation-importance.js'
export { barPlot, type HistoryRecord } from './plots.js'
export type { PredictionArray, PredictionArrays } from './prediction-arrays.js'
export { type ClassRow, EvaluationReport, type Findings, type HtmlOptions } from './report.js'
export type { ReportTable } from './report-tables.js'
export type { Fairness, GroupRates, Slice, SliceTable } from './slices.js'
export { findThreshold, type Threshold, type ThresholdOptions } from './threshold.js'
export type { WorstOptions, WorstRow } from './worst-rows.js'
