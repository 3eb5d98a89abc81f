export type { Per } from './column-groups.js'
export { type PredictionOptions, Preprocessor, type PreprocessorJson } from './preprocessor.js'
export type { Fitting, Json, Step } from './step.js'
export {
  type Category,
  type ClipOutliersOptions,
  cast,
  clipOutliers,
  concat,
  dropMissing,
  type ImputeOptions,
  impute,
  minMax,
  type OneHotOptions,
  oneHot,
  rename,
  scale,
  select,
  standardize,
} from './steps/index.js'
