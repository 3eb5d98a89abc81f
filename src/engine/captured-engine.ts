/**
 * The captured engine: records a step of each shape and runs it again as one call into WebAssembly.
 *
 * Owns: when to record, when to check a program against tfjs, when to give up and stay eager.
 * Leaves: recording and programs to captured-step.ts, the operations themselves to the eager engine.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { fillPart } from '../backends/index.js'
import { CapturedSeries } from './captured-series.js'
import { CapturedStep, difference, isResident, type RecordedStep, recordStep } from './captured-step.js'
import { computeGradients, computeLoss, EagerEngine, readTensors, sumsOf } from './eager-engine.js'
import type { Batch, BatchSums, Engine, Run, StepSeries } from './engine.js'
import { createFlatFloats, type FlatFloats } from './flat-floats.js'
import type { FlatParameters } from './flat-parameters.js'
import { type GradientBuckets, handOver } from './gradient-buckets.js'
import type { DividedGradients } from './plan/index.js'
import { type StepTiming, timeCalls } from './step-timing.js'
import { saveVariables, VariableStorage } from './variable-storage.js'

/** A step is recorded until two recordings in a row agree, but not more often than this. */
const MAX_RECORDINGS = 4
/** Runs between two checks of a program against tfjs, at least; up to as many again are drawn on top. */
const CHECK_INTERVAL = 1000
/** Predictions of one shape before it is recorded. */
const RUNS_BEFORE_CAPTURE = 2
/** Largest share by which a gradient may differ from tfjs': they add in other orders. */
const TOLERANCE = 1e-3

type Kind = 'set' | 'add' | 'hand over' | 'evaluate' | 'infer'

/** A step of one kind and shape. */
interface Entry {
  kind: Kind
  captured: CapturedStep
  /** Several of them in one call, once that was asked for. */
  series?: CapturedSeries
  /** Runs until the next check. */
  untilCheck: number
}

/** A step as tfjs computes it. The caller disposes the tensors. */
interface EagerStep<R extends Run> {
  /** Whether it sets or adds gradients, hands them over in buckets, or computes no gradients at all. */
  kind: Kind
  compute: (run: R) => tf.Tensor[]
  /** Gradients, and where they are computed to. */
  gradients?: { parameters: FlatParameters; sums: FlatFloats; buckets?: GradientBuckets }
}

/** Runs recorded steps where it can, and tfjs where it cannot. */
export class CapturedEngine implements Engine {
  readonly #entries = new Map<string, Entry>()
  readonly #storage = new VariableStorage()
  readonly #eager = new EagerEngine()
  /** How often each shape was asked for a prediction. */
  readonly #seen = new Map<string, number>()
  /** Why steps of a kind run eagerly. */
  readonly #reasons = new Map<Kind, string>()
  #checks = 0
  passingBytes = 0

  get name(): 'captured' | 'eager' {
    return this.reason === undefined ? 'captured' : 'eager'
  }

  /** Why steps run eagerly: those of training, if there are any. */
  get reason(): string | undefined {
    const training = this.#reasons.get('set') ?? this.#reasons.get('add') ?? this.#reasons.get('hand over')
    return training ?? (this.#entries.size === 0 ? [...this.#reasons.values()][0] : undefined)
  }

  async gradients(
    batch: Batch,
    parameters: FlatParameters,
    accumulate: boolean,
    buckets?: GradientBuckets,
  ): Promise<BatchSums> {
    if (buckets) return sumsOf(await this.#handOver(batch, parameters, buckets))
    const { sums } = parameters
    const compute = (some: Batch) => computeGradients(some, parameters, sums, accumulate)
    return sumsOf(
      await this.#run(batch, { kind: accumulate ? 'add' : 'set', compute, gradients: { parameters, sums } }),
    )
  }

  series(series: StepSeries, parameters: FlatParameters): Promise<Float32Array[]> | undefined {
    if (this.#reasons.has('set')) return undefined
    // Workers that meet in the midst of it all take the same number of steps.
    if (series.lowered.peers && !isResident(series.batch)) return undefined
    this.#storage.refresh()
    const entry = this.#entries.get(keyOf(series.batch, 'set'))
    if (!entry?.captured.isCurrent || entry.captured.program.isAssisted) return undefined
    const count = Math.min(series.count, entry.untilCheck)
    if (count < 1) return undefined
    if (entry.series?.lowered !== series.lowered) {
      entry.series?.dispose()
      entry.series = new CapturedSeries(entry.captured, parameters, series)
    }
    return this.#runSeries(entry, entry.series, { ...series, count })
  }

  async evaluate(batch: Batch): Promise<BatchSums> {
    return sumsOf(await this.#run(batch, { kind: 'evaluate', compute: computeLoss }))
  }

  async infer(run: Run, forward: (run: Run) => tf.Tensor): Promise<Float32Array> {
    // A model that predicts once or twice is not worth a recording.
    const key = keyOf(run, 'infer')
    const seen = (this.#seen.get(key) ?? 0) + 1
    this.#seen.set(key, seen)
    if (seen <= RUNS_BEFORE_CAPTURE) return this.#eager.infer(run, forward)
    const [output] = await this.#run(run, { kind: 'infer', compute: (some) => [tf.tidy(() => forward(some))] })
    return output!.slice()
  }

  /**
   * Captures the training step of a batch, checks it and times its calls. Variables are left as they were, gradients
   * are not.
   *
   * @returns Undefined where the step stays eager; `reason` says why.
   */
  async time(batch: Batch, parameters: FlatParameters, repeats: number): Promise<StepTiming | undefined> {
    const { sums } = parameters
    const compute = (some: Batch) => computeGradients(some, parameters, sums, false)
    const step = { kind: 'set', compute, gradients: { parameters, sums } } as const
    const captured = this.#capture(batch, step)
    if (!captured) return undefined
    const restore = this.#storage.save()
    try {
      captured.fill(batch)
      await this.#checked(captured, batch, step)
      return this.#reasons.size === 0 ? timeCalls(captured, batch, repeats) : undefined
    } finally {
      restore()
      captured.dispose()
    }
  }

  dispose(): void {
    for (const entry of this.#entries.values()) disposeEntry(entry)
    this.#entries.clear()
    this.#storage.dispose()
  }

  async #runSeries(entry: Entry, captured: CapturedSeries, series: StepSeries): Promise<Float32Array[]> {
    const sums = await captured.run(series)
    entry.untilCheck -= sums.length
    return sums
  }

  /**
   * A step whose gradients are taken in buckets. All of them lie there at once while it is recorded, checked, or computed
   * by tfjs.
   */
  async #handOver(batch: Batch, parameters: FlatParameters, buckets: GradientBuckets): Promise<Float32Array[]> {
    this.#storage.refresh()
    const entry = this.#entries.get(keyOf(batch, 'hand over'))
    const isKnown = entry?.captured.isCurrent && entry.untilCheck > 0
    if (isKnown) {
      entry.untilCheck--
      const { captured } = entry
      this.passingBytes = Math.max(this.passingBytes, captured.passingBytes)
      captured.fill(batch)
      if (await captured.runInBuckets(batch, buckets.take)) return captured.results()
    }
    const sums = createFlatFloats(parameters.layout.length)
    try {
      const compute = (some: Batch) => computeGradients(some, parameters, sums, false)
      const step: EagerStep<Batch> = { kind: 'hand over', compute, gradients: { parameters, sums, buckets } }
      const results = isKnown ? await readTensors(compute(batch)) : await this.#run(batch, step)
      if (this.#reasons.has('hand over')) this.passingBytes = 4 * parameters.layout.length
      await handOver(buckets, (await sums.read()).slice())
      return results
    } finally {
      sums.dispose()
    }
  }

  /** The results of a step: views that the next one may overwrite. */
  async #run<R extends Run>(run: R, step: EagerStep<R>): Promise<Float32Array[]> {
    if (this.#reasons.has(step.kind)) return readTensors(step.compute(run))
    this.#storage.refresh()
    const key = keyOf(run, step.kind)
    let entry = this.#entries.get(key)
    if (!entry?.captured.isCurrent) {
      if (entry) disposeEntry(entry)
      const captured = this.#capture(run, step)
      if (!captured) return readTensors(step.compute(run))
      entry = { kind: step.kind, captured, untilCheck: 0 }
      this.#entries.set(key, entry)
    }
    const { captured } = entry
    captured.fill(run)
    if (entry.untilCheck-- > 0) return captured.run(run) ? captured.results() : readTensors(step.compute(run))
    entry.untilCheck = CHECK_INTERVAL + ((this.#checks++ * 619) % CHECK_INTERVAL)
    return this.#checked(captured, run, step)
  }

  /**
   * Makes a program of a step. Nothing that the recorded runs do lasts, so that every step that counts is run by the
   * program: a training that is resumed gives the same bits as one that was not.
   */
  #capture<R extends Run>(run: R, { kind, compute, gradients }: EagerStep<R>): CapturedStep | undefined {
    const own = new Set(gradients?.parameters.variables)
    const before = kind === 'add' ? gradients?.sums.view().slice() : undefined
    let last: RecordedStep | undefined
    let reason: string | undefined
    for (let i = 0; i < MAX_RECORDINGS; i++) {
      // Another step and other rows each time: what depends on them in a way that a program could not follow shows.
      const other = { ...run, step: run.step + i, firstRow: run.firstRow + i }
      const restoreVariables = saveVariables(own)
      const restoreStorage = this.#storage.save()
      let recorded: RecordedStep
      try {
        recorded = recordStep(other, this.#storage, own, () => compute(other))
      } finally {
        restoreVariables()
        this.#storage.refresh()
        restoreStorage()
        if (before) gradients!.sums.write(before)
      }
      reason = recorded.refusal ?? (last && difference(last, recorded))
      if (recorded.refusal) break
      if (last && reason === undefined) return new CapturedStep(recorded, last, this.#storage, dividedBy(gradients))
      last = recorded
    }
    this.#giveUp(kind, reason!)
    return undefined
  }

  /**
   * Runs the program, which has its rows already, and tfjs on the same ones; when they differ, the step stays with tfjs
   * from here on.
   */
  async #checked<R extends Run>(
    captured: CapturedStep,
    run: R,
    { kind, compute, gradients }: EagerStep<R>,
  ): Promise<Float32Array[]> {
    // Before anything that waits: an engine has its rows first. Only what is added to counts.
    const start = kind === 'add' ? gradients?.sums.view().slice() : undefined
    const restore = this.#storage.save()
    const expected = await readTensors(compute(run))
    this.#storage.refresh()
    const expectedGradients = (await gradients?.sums.read())?.slice()
    const restoreExpected = this.#storage.save()
    // A gradient that the program forgot must not be found where tfjs left it.
    if (start) gradients!.sums.write(start)
    else if (gradients) fillPart(gradients.sums.device!, 0, gradients.parameters.layout.length, 0)
    restore()
    const ran = gradients?.buckets
      ? await captured.runInBuckets(run, async (bucket, values) =>
          gradients.sums.write(values, gradients.buckets!.ranges[bucket]!.from),
        )
      : captured.run(run)
    if (ran) {
      const results = await captured.results()
      const { entries } = gradients?.parameters.layout ?? { entries: [] }
      const actual = await gradients?.sums.read()
      const isClose =
        results.every((values, i) => agree(values, expected[i]!)) &&
        entries.every(({ offset, length }) =>
          agree(actual!.subarray(offset, offset + length), expectedGradients!.subarray(offset, offset + length)),
        )
      if (isClose) return results
    }
    if (gradients) gradients.sums.write(expectedGradients!)
    restoreExpected()
    if (ran) this.#giveUp(kind, 'A captured step gave other results than the eager one.')
    return expected
  }

  #giveUp(kind: Kind, reason: string): void {
    this.#reasons.set(kind, reason)
    for (const [key, entry] of this.#entries) {
      if (entry.kind !== kind) continue
      disposeEntry(entry)
      this.#entries.delete(key)
    }
  }
}

/** What the planner is to know of gradients that are handed over. */
function dividedBy(gradients: EagerStep<Run>['gradients']): DividedGradients | undefined {
  if (!gradients?.buckets) return undefined
  const { parameters, sums, buckets } = gradients
  return { pointer: sums.device!.pointer, layout: parameters.layout, ranges: buckets.ranges }
}

function disposeEntry({ captured, series }: Entry): void {
  series?.dispose()
  captured.dispose()
}

/** Forms of columns that were met: the same columns come back at every step. */
const forms = new WeakMap<Run['columns'], string>()

/** Steps with the same key run the same kernels on tensors of the same shapes. */
function keyOf(run: Run, kind: Kind): string {
  const { columns, selection, training } = run
  let form = forms.get(columns)
  if (form === undefined) {
    form = formOf(columns)
    forms.set(columns, form)
  }
  return `${kind} ${training} ${selection.to - selection.from} ${isResident(run)} ${form}`
}

function formOf(columns: Run['columns']): string {
  const all = Object.values(columns)
  const form = Object.entries(columns).map(([name, { data, shape }]) => {
    // Columns that are one array look alike to the recorder.
    const first = all.findIndex((other) => other.data === data)
    return [name, first, data.constructor.name, shape.slice(1)]
  })
  return JSON.stringify(form)
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
