/**
 * The captured engine: records a step of each shape and runs it again as one call into WebAssembly.
 *
 * Owns: when to record, when to check a program against tfjs, when to give up and stay eager.
 * Leaves: recording and programs to captured-step.ts, the operations themselves to the eager engine.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { deviceFloats } from '../backends/index.js'
import { CapturedStep, difference, type RecordedStep, recordStep } from './captured-step.js'
import { computeGradients, computeLoss, readSums } from './eager-engine.js'
import type { Batch, BatchLoss, BatchSums, Engine } from './engine.js'
import type { FlatParameters } from './flat-parameters.js'
import { VariableStorage } from './variable-storage.js'

/** After so many recordings that differ from each other, a step counts as one that cannot be captured. */
const MAX_RECORDINGS = 4
/** Runs between two checks of a program against tfjs, at least; up to as many again are drawn on top. */
const CHECK_INTERVAL = 1000
/** Largest share by which a gradient may differ from tfjs': they add in other orders. */
const TOLERANCE = 1e-3

/** What is known of one shape of step. */
interface Entry {
  recordings: number
  last?: RecordedStep
  captured?: CapturedStep
  /** Runs until the next check. */
  untilCheck: number
}

/** Runs recorded steps where it can, and tfjs where it cannot. */
export class CapturedEngine implements Engine {
  readonly #entries = new Map<string, Entry>()
  readonly #storage = new VariableStorage()
  #reason: string | undefined
  #checks = 0

  get name(): 'captured' | 'eager' {
    return this.#reason === undefined ? 'captured' : 'eager'
  }

  /** Why steps run eagerly. */
  get reason(): string | undefined {
    return this.#reason
  }

  async gradients(batch: Batch, parameters: FlatParameters, accumulate: boolean): Promise<BatchSums> {
    const eager = () => computeGradients(batch, parameters, accumulate)
    return this.#run(batch, accumulate ? 'add' : 'set', new Set(parameters.variables), eager, parameters)
  }

  async evaluate(batch: Batch): Promise<BatchSums> {
    return this.#run(batch, 'evaluate', new Set(), () => computeLoss(batch))
  }

  dispose(): void {
    for (const { captured } of this.#entries.values()) captured?.dispose()
    this.#entries.clear()
    this.#storage.dispose()
  }

  async #run(
    batch: Batch,
    kind: string,
    own: ReadonlySet<tf.Variable>,
    eager: () => BatchLoss,
    parameters?: FlatParameters,
  ): Promise<BatchSums> {
    if (this.#reason !== undefined) return readSums(eager())
    this.#storage.refresh()
    const key = keyOf(batch, kind)
    let entry = this.#entries.get(key)
    if (entry?.captured && !entry.captured.isCurrent) {
      entry.captured.dispose()
      entry = undefined
    }
    if (!entry) {
      entry = { recordings: 0, untilCheck: 0 }
      this.#entries.set(key, entry)
    }
    if (!entry.captured) return this.#record(entry, batch, own, eager)
    if (entry.untilCheck-- > 0) return entry.captured.run(batch, deviceFloats) ?? readSums(eager())
    entry.untilCheck = CHECK_INTERVAL + ((this.#checks++ * 619) % CHECK_INTERVAL)
    return this.#checked(entry.captured, batch, eager, parameters)
  }

  async #record(
    entry: Entry,
    batch: Batch,
    own: ReadonlySet<tf.Variable>,
    eager: () => BatchLoss,
  ): Promise<BatchSums> {
    const { scalars, recorded } = recordStep(batch, this.#storage, own, eager)
    const sums = await readSums(scalars)
    entry.recordings++
    const changed = entry.last && difference(entry.last, recorded)
    if (recorded.refusal) this.#giveUp(recorded.refusal)
    else if (entry.last && changed === undefined) entry.captured = new CapturedStep(recorded, entry.last, this.#storage)
    else if (entry.recordings >= MAX_RECORDINGS) this.#giveUp(changed!)
    else entry.last = recorded
    if (entry.captured) delete entry.last
    return sums
  }

  /** Runs the program and tfjs on the same batch; when they differ, the step stays with tfjs from here on. */
  async #checked(
    captured: CapturedStep,
    batch: Batch,
    eager: () => BatchLoss,
    parameters: FlatParameters | undefined,
  ): Promise<BatchSums> {
    const start = parameters?.gradients.slice()
    const restore = this.#storage.save()
    const expected = await readSums(eager())
    this.#storage.refresh()
    const expectedGradients = parameters?.gradients.slice()
    if (parameters) parameters.gradients.set(start!)
    const restoreExpected = this.#storage.save()
    restore()
    const sums = captured.run(batch, deviceFloats)
    if (sums && agree([sums.loss], [expected.loss])) {
      const { entries } = parameters?.layout ?? { entries: [] }
      const gradients = parameters?.gradients
      const isClose = entries.every(({ offset, length }) =>
        agree(gradients!.subarray(offset, offset + length), expectedGradients!.subarray(offset, offset + length)),
      )
      if (isClose) return sums
    }
    if (parameters) parameters.gradients.set(expectedGradients!)
    restoreExpected()
    if (sums) this.#giveUp('A captured step gave other results than the eager one.')
    return expected
  }

  #giveUp(reason: string): void {
    this.#reason = reason
    for (const { captured } of this.#entries.values()) captured?.dispose()
    this.#entries.clear()
  }
}

/** Steps with the same key run the same kernels on tensors of the same shapes. */
function keyOf({ columns, selection, training }: Batch, kind: string): string {
  const form = Object.entries(columns).map(([name, { data, shape }]) => [name, data.constructor.name, shape.slice(1)])
  return JSON.stringify([kind, training, selection.to - selection.from, form])
}

/** Whether two vectors are the same up to rounding, or neither is finite. */
function agree(actual: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  let error = 0
  let size = 0
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2
    size += expected[i]! ** 2
  }
  if (!Number.isFinite(size)) return true
  return Math.sqrt(error) <= TOLERANCE * Math.sqrt(size) + 1e-6
}
