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
