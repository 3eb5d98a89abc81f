/**
 * Times one training step of a model, on one worker in this thread.
 *
 * Owns: a model's parameters, slots and random layers for as long as it measures; all are put back.
 * Leaves: the calls of the captured step to the engine, what is made of the figures to the profile.
 * @module
 */

import { loadAssist, withAssist } from '../backends/index.js'
import { ConfigError } from '../core/index.js'
import { rowsOf } from '../data/index.js'
import { type Batch, createEngine, createFlatFloats, FlatParameters, measurePeak, shortest } from '../engine/index.js'
import { namedWeights, seedRandomLayers } from '../models/index.js'
import { applyUpdate, resolveOptimizer } from '../optimizers/index.js'
import { createBatchLoss } from './batch-loss.js'
import type { SharedColumns, TrainingJob } from './job.js'
import type { LocalParts } from './local-parts.js'
import { Profile, type ProfileCall } from './profile.js'
import { rowNumbers } from './rows.js'

/**
 * Measures the step on all rows of the columns.
 *
 * @throws {ConfigError} if the step cannot be captured, with the engine's reason.
 */
export async function profileStep(
  job: TrainingJob,
  local: LocalParts,
  columns: SharedColumns,
  repeats: number,
): Promise<Profile> {
  if (local.optimizer)
    throw new ConfigError('A step with a tf.Optimizer runs eagerly and cannot be profiled.', {
      remedy: "Use an optimizer of dcml's own, such as adam()",
    })
  const assist = job.assist && (await loadAssist(job.assist))
  const engine = createEngine('captured')
  const random = seedRandomLayers(local.model)
  const parameters = new FlatParameters(namedWeights(local.model).filter(({ trainable }) => trainable))
  const weights = parameters.parameters.slice()
  try {
    const loss = createBatchLoss(local.model, job, local)
    const rows = rowsOf(columns)
    const batch: Batch = {
      columns,
      training: true,
      selection: { indices: rowNumbers(rows), from: 0, to: rows },
      step: 1,
      firstRow: 0,
      loss({ selection, step, firstRow }) {
        random.setContext({ seed: job.seed, step, firstRow })
        return loss({ columns, selection }, { training: true, step, firstRow })()
      },
    }
    const timing = await withAssist(assist, () => engine.time(batch, parameters, repeats))
    if (!timing)
      throw new ConfigError(`The step cannot be captured, so it has no calls to time. ${engine.reason}`, {
        remedy: 'Profile a step whose operations are the same, and all of tfjs, each time',
      })
    const peakGflops = measurePeak()
    const update = timeUpdate(job, parameters, rows, repeats)
    const gathering = { kernel: 'gatherRows', shape: `${rows} rows`, ms: timing.rowsMs, flops: 0, bytes: 0 }
    return new Profile({
      rows,
      calls: [gathering, ...timing.calls, update],
      stepMs: timing.programMs + update.ms,
      recordedCalls: timing.recordedCalls,
      plannedCalls: timing.calls.length,
      programBytes: timing.programBytes,
      ...(peakGflops !== undefined && { peakGflops }),
    })
  } finally {
    random.restore()
    engine.dispose()
    parameters.parameters.set(weights)
    parameters.dispose()
  }
}

/** The update of all parameters, which runs after the captured program. */
function timeUpdate(job: TrainingJob, parameters: FlatParameters, rows: number, repeats: number): ProfileCall {
  const optimizer = resolveOptimizer(job.optimizer)
  const { length, entries } = parameters.layout
  const count = entries.reduce((sum, entry) => sum + entry.length, 0)
  const slots = optimizer.slots.map(() => createFlatFloats(length))
  const ms = shortest(repeats, (i) =>
    applyUpdate(optimizer, parameters, slots, { step: i + 1, gradientScale: 1 / rows }),
  )
  for (const slot of slots) slot.dispose()
  // Reads weights, gradients and slots; writes weights and slots.
  const bytes = 4 * count * (3 + 2 * slots.length)
  return { kernel: optimizer.name, shape: `${count} parameters`, ms, flops: 0, bytes }
}
