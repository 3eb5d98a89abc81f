export {
  type Evaluable,
  Evaluator,
  type EvaluatorOptions,
  evaluatePredictions,
  type PredictionArray,
  type PredictionArrays,
} from './evaluator.js'
export type { HistoryRecord } from './plots.js'
export { type ClassRow, EvaluationReport, type HtmlOptions } from './report.js'
