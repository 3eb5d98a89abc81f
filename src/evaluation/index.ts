export {
  type Evaluable,
  Evaluator,
  type EvaluatorOptions,
  evaluatePredictions,
  type PredictionArrays,
} from './evaluator.js'
export type { HistoryRecord } from './plots.js'
export { EvaluationReport, type HtmlOptions } from './report.js'
