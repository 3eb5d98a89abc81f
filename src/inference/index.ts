export type { Attributed, Attribution, AttributionOptions } from './attribution.js'
export type { PredictorInput } from './input.js'
export type { ClassPrediction, ClassProbability, Prediction, ValuePrediction } from './prediction.js'
export * from './predictor.js'
