/**
 * dcml: trains, evaluates and serves TensorFlow.js models on every core of a machine.
 *
 * Everything here loads in a browser as in Node; what needs Node is in `dcml/node`.
 * @module
 */

export {
  type BackendName,
  type BackendReport,
  listBackends,
  type SelectBackendOptions,
  selectBackend,
} from './backends/index.js'
export { type CollectivesOptions, createCollectives } from './collectives/index.js'
export {
  BackendUnavailableError,
  ConfigError,
  DataError,
  DcmlError,
  NumericError,
  Random,
  ShapeError,
  StateError,
  StorageError,
  TransportError,
  WorkerError,
} from './core/index.js'
export { type Columns, Dataset, datasets } from './data/index.js'
export { DataParallel, type DataParallelOptions } from './distributed/index.js'
export {
  type EvaluationReport,
  Evaluator,
  type EvaluatorOptions,
  evaluatePredictions,
  type HtmlOptions,
} from './evaluation/index.js'
export { Predictor } from './inference/index.js'
export {
  accuracy,
  confusionMatrix,
  f1,
  logLoss,
  type Metric,
  type MetricName,
  mae,
  mse,
  precision,
  r2,
  recall,
  rmse,
  rocAuc,
  topKAccuracy,
} from './metrics/index.js'
export { loadBundle, saveBundle } from './models/index.js'
export {
  adagrad,
  adam,
  adamw,
  constant,
  cosine,
  lamb,
  type Optimizer,
  oneCycle,
  rmsprop,
  type Schedule,
  sgd,
  stepDecay,
  warmupCosine,
} from './optimizers/index.js'
export {
  cast,
  clipOutliers,
  concat,
  dropMissing,
  impute,
  minMax,
  oneHot,
  Preprocessor,
  rename,
  scale,
  select,
  standardize,
} from './preprocess/index.js'
export { indexedDb, memory, type Store } from './storage/index.js'
export {
  type BatchTensors,
  type Callback,
  type CustomStep,
  checkpoint,
  DistributedStrategy,
  type EpochRecord,
  earlyStopping,
  type FitOptions,
  type FitState,
  type History,
  progressBar,
  SingleWorker,
  type StepContext,
  Trainer,
  type TrainerOptions,
} from './training/index.js'
export {
  type Collectives,
  memoryTransports,
  type ReduceOperation,
  type Reducible,
  type Shard,
  type SharedMemoryOptions,
  sharedMemory,
  shareOf,
  type Transport,
  type TransportFactory,
  type TransportOptions,
  type TransportTicket,
} from './transport/index.js'
