/**
 * What a training step costs on this machine: short trainings of a copy of the model.
 *
 * Noise only adds, so every time is the shortest epoch of several rounds, and the kinds of step take turns.
 * @module
 */

import type * as tfl from '@tensorflow/tfjs-layers'
import { hardwareThreads } from '#threads'
import { workerDevices } from '../backends/index.js'
import { ConfigError, DcmlError, Random } from '../core/index.js'
import { Dataset } from '../data/index.js'
import { DataParallel } from '../distributed/index.js'
import { modelFromTopology, serializeTopology } from '../models/index.js'
import { adam } from '../optimizers/index.js'
import {
  type DistributedStrategy,
  type EpochRecord,
  SingleWorker,
  Trainer,
  type TrainerOptions,
} from '../training/index.js'

/** What is trained. */
export interface StepOptions extends Pick<TrainerOptions, 'setup'> {
  model: tfl.LayersModel
  /** Global batch of the plan: steps of an eighth of it, and of all of it, are measured. */
  batchSize: number
  /** @default adam() */
  optimizer?: Exclude<TrainerOptions['optimizer'], undefined>
  /** @default 'meanSquaredError' */
  loss?: TrainerOptions['loss']
  /** Rows to train on; at least a batch. @default random ones, for a model with one input and one output */
  data?: Dataset
}

/** The costs of steps of one model and optimizer. */
export interface StepCosts {
  /** Milliseconds of a step on one worker that its rows do not change, and for each row. */
  readonly fixedMs: number
  readonly rowMs: number
  /** Hardware threads of the machine. */
  readonly cores: number
  /** How many times as long a step of a worker takes when every core has one: cores share memory and caches. */
  readonly contention: number
  /** Bytes of weights, of gradients, and of the optimizer's slots. */
  readonly weightBytes: number
  readonly gradientBytes: number
  readonly slotBytes: number
  /** Bytes of the tensors of a step: those that its rows do not change, and for each row. 0 where it is not captured. */
  readonly fixedTensorBytes: number
  readonly rowTensorBytes: number
}

const ROUNDS = 3
/** Of one measurement, after the first epochs, in which the step is captured and compiled. */
const MEASURED_MS = 250
const FIRST_EPOCHS = 3
const STEPS = 8

/**
 * Measures; takes some seconds. The model stays as it is.
 *
 * @throws {ConfigError} if the backend computes on GPUs.
 */
export async function measureStepCosts(options: StepOptions): Promise<StepCosts> {
  const { batchSize } = options
  if (workerDevices())
    throw new ConfigError('A plan is of workers that share the cores of a machine: it does not know GPUs yet.', {
      received: 'a backend whose workers have a GPU each',
      remedy: "Train with 1, 2, ... workers and compare; or plan for processors: selectBackend({ prefer: ['wasm'] })",
    })
  const cores = hardwareThreads()
  const small = Math.max(1, Math.round(batchSize / 8))
  const data = options.data ?? randomData(options.model, STEPS * batchSize)
  const kinds = {
    small: { rows: small, workers: 1, ms: Infinity },
    large: { rows: batchSize, workers: 1, ms: Infinity },
    crowd: { rows: batchSize, workers: Math.min(cores, batchSize), ms: Infinity },
  }
  let usage: Usage | undefined
  for (let round = 0; round < ROUNDS; round++)
    for (const kind of Object.values(kinds)) {
      if (kind === kinds.crowd && kind.workers === 1) continue
      const measured = await trainShortly({ ...options, data }, kind)
      kind.ms = Math.min(kind.ms, measured.ms)
      usage ??= measured.usage
    }
  // Of two equal sizes, or of noise, no slope can be told: then all of the step is for its rows.
  const slope = batchSize > small ? (kinds.large.ms - kinds.small.ms) / (batchSize - small) : kinds.large.ms / batchSize
  const rowMs = Math.max(slope, 0)
  const fixedMs = Math.max(kinds.large.ms - rowMs * batchSize, 0)
  const alone = fixedMs + (rowMs * batchSize) / kinds.crowd.workers
  const [smallBytes, largeBytes] = await tensorBytes({ ...options, data }, [small, batchSize])
  const rowTensorBytes = batchSize > small ? (largeBytes - smallBytes) / (batchSize - small) : 0
  return {
    fixedMs,
    rowMs,
    cores,
    contention: kinds.crowd.workers > 1 ? Math.max(1, kinds.crowd.ms / alone) : 1,
    weightBytes: usage!.weights,
    gradientBytes: usage!.gradients,
    slotBytes: usage!.slots,
    fixedTensorBytes: largeBytes - rowTensorBytes * batchSize,
    rowTensorBytes,
  }
}

interface Usage {
  weights: number
  gradients: number
  slots: number
}

type WithData = StepOptions & { data: Dataset }

/** Milliseconds of a step, and what a worker holds. */
async function trainShortly(
  options: WithData,
  { rows, workers }: { rows: number; workers: number },
): Promise<{ ms: number; usage: Usage }> {
  let [ms, measured, epochs] = [Infinity, 0, 0]
  const onEpochEnd = ({ record, stop }: { record: EpochRecord; stop(): void }) => {
    if (++epochs <= FIRST_EPOCHS) return
    measured += record.seconds * 1000
    ms = Math.min(ms, (record.seconds * 1000) / STEPS)
    if (measured >= MEASURED_MS) stop()
  }
  const strategy = workers > 1 ? new DataParallel({ workers }) : new SingleWorker()
  return withTrainer(options, { strategy, callbacks: [{ onEpochEnd }] }, async (trainer) => {
    const history = await trainer.fit(options.data.take(STEPS * rows), {
      epochs: Number.MAX_SAFE_INTEGER,
      batchSize: rows,
    })
    return { ms, usage: history.workers![0]!.memory }
  })
}

/** Bytes of the tensors of steps of so many rows. */
function tensorBytes(options: WithData, sizes: readonly [number, number]): Promise<[number, number]> {
  return withTrainer(options, {}, async (trainer) => {
    const bytes = async (batchSize: number) =>
      (await trainer.profile(options.data.take(batchSize), { batchSize, repeats: 1 })).programBytes
    try {
      return [await bytes(sizes[0]), await bytes(sizes[1])]
    } catch (error) {
      // A step that is not captured holds nothing from step to step.
      if (error instanceof DcmlError) return [0, 0]
      throw error
    }
  })
}

async function withTrainer<T>(
  { model, optimizer = adam(), loss = 'meanSquaredError', setup }: StepOptions,
  more: { strategy?: DistributedStrategy; callbacks?: TrainerOptions['callbacks'] },
  use: (trainer: Trainer) => Promise<T>,
): Promise<T> {
  const copy = await modelFromTopology(serializeTopology(model))
  const trainer = new Trainer({ model: copy, optimizer, loss, ...(setup ? { setup } : {}), ...more } as TrainerOptions)
  try {
    return await use(trainer)
  } finally {
    await trainer.close()
    copy.dispose()
  }
}

/** Uniform numbers from 0 to 1: gradients stay far from the tiny numbers that processors are slow with. */
function randomData(model: tfl.LayersModel, rows: number): Dataset {
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw new ConfigError('The data for a model of several inputs or outputs cannot be made up.', {
      remedy: 'Pass data and loss',
    })
  const rng = new Random(1, 0)
  const column = (shape: readonly (number | null)[]) => {
    const dimensions = shape.slice(1).map((size) => size ?? 1)
    const size = dimensions.reduce((product, factor) => product * factor, 1)
    return { data: new Float32Array(rows * size).map(() => rng.uniform()), shape: [rows, ...dimensions] }
  }
  return Dataset.fromArrays({ x: column(model.inputs[0]!.shape), y: column(model.outputs[0]!.shape) })
}
