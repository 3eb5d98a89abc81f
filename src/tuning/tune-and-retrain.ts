/** From a search space to a saved model. @module */

import type * as tfl from '@tensorflow/tfjs-layers'
import { ConfigError, withDefaults } from '../core/index.js'
import { Dataset } from '../data/index.js'
import type { Store } from '../storage/index.js'
import type { Callback, EpochRecord, FitOptions, History, Trainer } from '../training/index.js'
import { pruning } from './pruning.js'
import type { ParamsOf, SpaceDefinition } from './space/index.js'
import { type Direction, lossOf } from './study/index.js'
import { runDefaults, type TuneOptions } from './study-run.js'
import type { Tuner } from './tuner.js'
import type { TuningResult } from './tuning-result.js'

/** What is trained on what. */
export interface TuneAndRetrainOptions<P> extends TuneOptions {
  /**
   * Makes a trainer with a model of its own for some parameters. Its options must take `callbacks`, before others of
   * your own. The models of the search are disposed.
   */
  trainer: (params: P, callbacks: Callback[]) => Trainer | Promise<Trainer>
  train: Dataset
  validation: Dataset
  /** How to fit, or a function of the parameters. `epochs` is the most that a trial trains. */
  fit?: FitSettings | ((params: P) => FitSettings)
  /** Value of an epoch to search by; the tuner's direction must suit. @default 'val_loss' */
  monitor?: string
  /** Where the model is saved, with its preprocessor: see `Predictor.load`. @default nowhere */
  store?: Store
}

/** Options of `fit` that a trial may set. */
export type FitSettings = Omit<FitOptions, 'validation' | 'resumeFrom' | 'signal'>

/** The study and what came of its best trial. */
export interface Retrained<P> {
  best: TuningResult<P>
  /** The trainer of the final model, which the caller closes. */
  trainer: Trainer
  history: History
}

/**
 * Searches, then trains the best configuration on training and validation data together, for as many epochs as served
 * it best, and saves the model: evaluate, adjust and retrain in one call.
 *
 * The score of a trial is the best of its epochs. Each epoch is reported, so that a scheduler can end trials early.
 *
 * @throws {StateError} if no trial was complete. @throws {ConfigError} if the tuner has several directions.
 * @throws the reason of the signal, once that is set.
 * @example
 * const { best, trainer } = await tuneAndRetrain(new Tuner({ space, scheduler: asha() }), {
 *   trainer: ({ rate }, callbacks) =>
 *     new Trainer({ model: network, loss: 'meanSquaredError', optimizer: adam({ learningRate: rate }), callbacks }),
 *   train, validation, fit: { epochs: 20 }, trials: 40, store: directory('model'),
 * })
 */
export async function tuneAndRetrain<S extends SpaceDefinition>(
  tuner: Tuner<S>,
  options: TuneAndRetrainOptions<ParamsOf<S>>,
): Promise<Retrained<ParamsOf<S>>> {
  const {
    trainer: make,
    train,
    validation,
    fit: fitting,
    monitor,
    store,
    ...run
  } = withDefaults('tuneAndRetrain', options, {
    ...runDefaults,
    trainer: undefined,
    train: undefined,
    validation: undefined,
    fit: {},
    monitor: 'val_loss',
    store: undefined,
  })
  const [direction, another] = tuner.directions
  if (another)
    throw new ConfigError('tuneAndRetrain needs one direction.', {
      received: tuner.directions.join(' and '),
      remedy: 'Run the tuner, choose from its paretoFront, and train that',
    })
  const settings = (params: ParamsOf<S>) => (typeof fitting === 'function' ? fitting(params) : fitting)
  const best = await tuner.run(async (trial) => {
    const made = keepModel()
    const trainer = await make(trial.params, [made.callback, pruning(trial, { monitor })])
    try {
      const { epochs } = await trainer.fit(train, { ...settings(trial.params), validation, signal: trial.signal })
      // Told to stop before its first epoch ended: the tuner does not count it.
      return epochs.length === 0 ? 0 : bestEpoch(epochs, monitor, direction!)[monitor]!
    } finally {
      await trainer.close()
      made.dispose()
    }
  }, run)
  run.signal?.throwIfAborted()
  const { params, reports, values } = best.trial
  const epochs = reports.find(({ value }) => value === values[0])!.step
  const whole = await together(train, validation)
  const { signal } = run
  const made = keepModel()
  const trainer = await make(params, [made.callback])
  try {
    const history = await trainer.fit(whole, { ...settings(params), epochs, ...(signal ? { signal } : {}) })
    if (store) await trainer.save(store)
    return { best, trainer, history }
  } catch (error) {
    await trainer.close()
    made.dispose()
    throw error
  }
}

/** A callback that learns which model a trainer trains, so that it can be disposed. */
function keepModel(): { callback: Callback; dispose(): void } {
  let model: tfl.LayersModel | undefined
  return {
    callback: {
      onFitStart(state) {
        model = state.model
      },
    },
    dispose() {
      model?.dispose()
    },
  }
}

function bestEpoch(epochs: readonly EpochRecord[], monitor: string, direction: Direction): EpochRecord {
  const loss = (record: EpochRecord) => lossOf(record[monitor]!, direction)
  return epochs.reduce((best, record) => (loss(record) < loss(best) ? record : best))
}

/** The rows of both. */
function together(a: Dataset, b: Dataset): Promise<Dataset> {
  return Dataset.fromBatches(async function* () {
    yield* a.batches()
    yield* b.batches()
  }).collect()
}
