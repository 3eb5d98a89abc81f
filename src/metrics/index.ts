export {
  type Average,
  type AverageOptions,
  type ClassCounts,
  type ClassScores,
  fBetaOf,
  precisionOf,
  ratio,
  recallOf,
} from './averaging.js'
export * from './calibration.js'
export * from './class-metrics.js'
export * from './confusion-matrix.js'
export * from './crossentropy.js'
export { eachCut, type KeptPart, type KeptScores, type KeptScoresOptions, type ScoredRows } from './kept-scores.js'
export type { LabelState } from './label-counts.js'
export * from './loss.js'
export type { WeightedSum } from './mean-over-rows.js'
export * from './metric.js'
export * from './rank-metrics.js'
export * from './ranking-metrics.js'
export * from './regression-losses.js'
export * from './regression-metrics.js'
export * from './resolve.js'
export * from './running-metric.js'
export * from './score-curves.js'
export * from './score-metrics.js'
export * from './targets.js'
export type { TensorMetric } from './tensor-metrics.js'
export * from './text-metrics.js'
