/**
 * The captured engine: records a step of each shape and runs it again as one call into WebAssembly.
 *
 * Owns: when to record, when to check a program against tfjs, when to give up and stay eager.
 * Leaves: recording and programs to captured-step.ts, the operations themselves to the eager engine.
 * @module
 */

import { deviceFloats } from '../backends/index.js'
import { CapturedStep, difference, type RecordedStep, recordStep } from './captured-step.js'
import { computeGradients, computeLoss, readSums } from './eager-engine.js'
import type { Batch, BatchLoss, BatchSums, Engine } from './engine.js'
import type { FlatParameters } from './flat-parameters.js'
import { saveVariables, VariableStorage } from './variable-storage.js'

/** A step is recorded until two recordings in a row agree, but not more often than this. */
const MAX_RECORDINGS = 4
/** Runs between two checks of a program against tfjs, at least; up to as many again are drawn on top. */
const CHECK_INTERVAL = 1000
/** Largest share by which a gradient may differ from tfjs': they add in other orders. */
const TOLERANCE = 1e-3

/** A step of one shape. */
interface Entry {
  captured: CapturedStep
  /** Runs until the next check. */
  untilCheck: number
}

type EagerRun = (batch: Batch) => BatchLoss

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

  gradients(batch: Batch, parameters: FlatParameters, accumulate: boolean): Promise<BatchSums> {
    const eager = (some: Batch) => computeGradients(some, parameters, accumulate)
    return this.#run(batch, accumulate ? 'add' : 'set', eager, parameters)
  }

  evaluate(batch: Batch): Promise<BatchSums> {
    return this.#run(batch, 'evaluate', computeLoss)
  }

  dispose(): void {
    for (const { captured } of this.#entries.values()) captured?.dispose()
    this.#entries.clear()
    this.#storage.dispose()
  }

  async #run(batch: Batch, kind: string, eager: EagerRun, parameters?: FlatParameters): Promise<BatchSums> {
    if (this.#reason !== undefined) return readSums(eager(batch))
    this.#storage.refresh()
    const key = keyOf(batch, kind)
    let entry = this.#entries.get(key)
    if (!entry?.captured.isCurrent) {
      entry?.captured.dispose()
      const captured = this.#capture(batch, eager, parameters)
      if (!captured) return readSums(eager(batch))
      entry = { captured, untilCheck: 0 }
      this.#entries.set(key, entry)
    }
    if (entry.untilCheck-- > 0) return entry.captured.run(batch, deviceFloats) ?? readSums(eager(batch))
    entry.untilCheck = CHECK_INTERVAL + ((this.#checks++ * 619) % CHECK_INTERVAL)
    return this.#checked(entry.captured, batch, eager, parameters)
  }

  /**
   * Makes a program of a step. Nothing that the recorded runs do lasts, so that every step that counts is run by the
   * program: a training that is resumed gives the same bits as one that was not.
   */
  #capture(batch: Batch, eager: EagerRun, parameters: FlatParameters | undefined): CapturedStep | undefined {
    const own = new Set(parameters?.variables)
    const gradients = parameters?.gradients.slice()
    let last: RecordedStep | undefined
    let reason: string | undefined
    for (let i = 0; i < MAX_RECORDINGS; i++) {
      // Another step and other rows each time: what depends on them in a way that a program could not follow shows.
      const other = { ...batch, step: batch.step + i, firstRow: batch.firstRow + i }
      const restoreVariables = saveVariables(own)
      const restoreStorage = this.#storage.save()
      const recorded = recordStep(other, this.#storage, own, eager)
      restoreVariables()
      this.#storage.refresh()
      restoreStorage()
      if (gradients) parameters!.gradients.set(gradients)
      reason = recorded.refusal ?? (last && difference(last, recorded))
      if (recorded.refusal) break
      if (last && reason === undefined) return new CapturedStep(recorded, last, this.#storage)
      last = recorded
    }
    this.#giveUp(reason!)
    return undefined
  }

  /** Runs the program and tfjs on the same batch; when they differ, the step stays with tfjs from here on. */
  async #checked(
    captured: CapturedStep,
    batch: Batch,
    eager: EagerRun,
    parameters: FlatParameters | undefined,
  ): Promise<BatchSums> {
    const start = parameters?.gradients.slice()
    const restore = this.#storage.save()
    const expected = await readSums(eager(batch))
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
