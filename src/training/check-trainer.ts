/** What a trainer is given, checked before anything starts. @module */

import { ConfigError, checkGiven, checkNames, checkWhole } from '../core/index.js'
import { checkDataset, type Dataset } from '../data/index.js'
import { resolveLoss } from '../metrics/index.js'
import { checkStore } from '../storage/index.js'
import { tensorMetric } from './batch-loss.js'
import type { Callback } from './callback.js'
import { isTfjsOptimizer } from './tfjs-optimizer.js'
import type { FitOptions, TrainerOptions } from './trainer.js'

const trainerOptions: Record<keyof TrainerOptions, true> = {
  model: true,
  loss: true,
  step: true,
  optimizer: true,
  metrics: true,
  preprocessor: true,
  strategy: true,
  engine: true,
  assist: true,
  callbacks: true,
  setup: true,
  seed: true,
  clipNorm: true,
  accumulateSteps: true,
  precision: true,
  deterministic: true,
  syncBatchNorm: true,
  columns: true,
}

const fitOptions: Record<keyof FitOptions, true> = {
  epochs: true,
  batchSize: true,
  validation: true,
  sampleWeight: true,
  resumeFrom: true,
  signal: true,
  shuffle: true,
}

const callbackHooks: Record<Exclude<keyof Callback, 'relaxed'>, true> = {
  onFitStart: true,
  onEpochStart: true,
  onStepEnd: true,
  onEpochEnd: true,
  onValidationEnd: true,
  onException: true,
  onFitEnd: true,
}

/** @throws {ConfigError} for options that are wrong in themselves, or do not go together. */
export function checkTrainerOptions(options: TrainerOptions): void {
  checkParts(options)
  const {
    loss,
    step,
    accumulateSteps = 1,
    clipNorm,
    deterministic,
    syncBatchNorm,
    setup,
    model,
    precision,
    optimizer,
    engine,
    metrics = [],
  } = options
  if ((loss === undefined) === (step === undefined))
    throw new ConfigError('A trainer needs a loss or a step.', {
      expected: 'exactly one of the two',
      received: loss === undefined ? 'neither' : 'both',
    })
  // A setup module may have a loss of any name; a step names its metrics itself.
  if (typeof loss === 'string' && setup === undefined) resolveLoss(loss)
  if (loss !== undefined) for (const name of metrics) tensorMetric(name)
  if (typeof model === 'string' && setup === undefined)
    throw new ConfigError('A model by name needs a setup module.', {
      received: model,
      remedy: `Pass setup: new URL('./models.js', import.meta.url), a module that exports '${model}'`,
    })
  checkWhole('accumulateSteps', accumulateSteps)
  if (syncBatchNorm && (engine === 'captured' || deterministic))
    throw new ConfigError('syncBatchNorm runs eagerly, on whole batches.', {
      expected: "engine 'auto' or 'eager', without deterministic",
      received: engine === 'captured' ? engine : 'deterministic',
    })
  if (deterministic) checkWhole('logicalShards', deterministic.logicalShards)
  if (clipNorm !== undefined && !(clipNorm > 0))
    throw new ConfigError('clipNorm is out of range.', { expected: 'a number above 0', received: clipNorm })
  if (engine === 'captured' && isTfjsOptimizer(optimizer))
    throw new ConfigError('A tf.Optimizer runs eagerly.', {
      expected: "engine 'auto' or 'eager'",
      received: engine,
      remedy: "Use an optimizer of dcml's own, such as adam()",
    })
  if (precision !== undefined && precision !== 'float32')
    throw new ConfigError('There is no such precision.', { expected: 'float32', received: precision })
}

/** @throws {ConfigError} if an option is of the wrong kind altogether. */
function checkParts(options: TrainerOptions): void {
  checkGiven(typeof options === 'object' && options !== null, 'A trainer needs options.', {
    expected: "such as { model, loss: 'meanSquaredError' }",
    received: options,
  })
  checkNames('A trainer', options, trainerOptions)
  const { metrics, callbacks, strategy, optimizer, preprocessor } = options
  const checkPart = (name: string, part: unknown, isRight: boolean, expected: string) =>
    checkGiven(part === undefined || isRight, `What was given as ${name} is of the wrong kind.`, {
      expected,
      received: part,
    })
  checkPart('metrics', metrics, Array.isArray(metrics), "a list, such as ['accuracy']")
  checkPart('callbacks', callbacks, Array.isArray(callbacks), 'a list, such as [progressBar()]')
  for (const callback of callbacks ?? []) {
    // Taken for a callback, it would stop nothing.
    checkPart(
      'a callback',
      callback ?? null,
      typeof callback === 'object' && callback !== null && !(callback instanceof AbortSignal),
      'a callback; a signal goes to fit(data, { signal })',
    )
    // A callback may have what it likes, but what looks like a hook must be one.
    const hooks = Object.entries(callback).filter(([name]) => /^on[A-Z]/.test(name))
    checkNames('A callback', Object.fromEntries(hooks), callbackHooks)
  }
  checkPart('strategy', strategy, typeof strategy?.start === 'function', 'such as new DataParallel({ workers: 2 })')
  checkPart('preprocessor', preprocessor, typeof preprocessor?.transform === 'function', 'a Preprocessor')
  const isOptimizer =
    typeof optimizer === 'string' ||
    isTfjsOptimizer(optimizer) ||
    (typeof optimizer === 'object' && typeof optimizer?.name === 'string')
  checkPart('optimizer', optimizer, isOptimizer, 'a name, or what a function such as adam() returns')
}

/** @throws {ConfigError} if data or options of a fit are of the wrong kind or out of range. */
export function checkFit(train: Dataset, options: FitOptions): void {
  checkNames('fit', options, fitOptions)
  const { epochs = 1, batchSize = 32, validation, resumeFrom } = options
  checkWhole('epochs', epochs)
  checkWhole('batchSize', batchSize)
  checkDataset('What the trainer is to train on', train)
  if (validation !== undefined) checkDataset('The validation data', validation)
  if (resumeFrom !== undefined) checkStore('resumeFrom', resumeFrom)
}
