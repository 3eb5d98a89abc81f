/**
 * Several steps in one call: gradients, their reduction over the workers, the update, and what each step is to report.
 *
 * Owns: the calls that follow a captured step, the table of what changes from step to step, the records.
 * Leaves: the step itself to captured-step.ts, which steps may run so to the engine.
 * @module
 */

import {
  createDeviceFloats,
  type DeviceFloats,
  kindsOf,
  type Meeting,
  meetingError,
  type Place,
  type ProgramCall,
  type ProgramLoop,
} from '../backends/index.js'
import { type CapturedStep, inputsOf } from './captured-step.js'
import type { StepSeries, UpdateCall } from './engine.js'
import type { FlatParameters } from './flat-parameters.js'
import { makeCall } from './plan/index.js'

/** Steps in one call. */
const CAPACITY = 512
/** Elements that are added up and updated at a time: 32 KiB, so that the sums are still in the nearest cache. */
const PIECE = 8192

const absolute = (offset: number): Place => ({ buffer: -1, offset })

/** The loop of one captured step. */
export class CapturedSeries {
  /** What the loop was made for. */
  readonly lowered: StepSeries['lowered']
  readonly #parameters: FlatParameters
  readonly #loop: ProgramLoop
  /** Loss, weight and metrics of each step. */
  readonly #records: DeviceFloats
  readonly #recordLength: number
  /** Where the own sums begin, for a worker that is alone. */
  readonly #ownSums: DeviceFloats

  constructor(captured: CapturedStep, parameters: FlatParameters, { lowered, update }: StepSeries) {
    this.lowered = lowered
    this.#parameters = parameters
    const { length } = parameters.layout
    const sums = parameters.sums.device!
    this.#recordLength = sums.length - length
    this.#records = createDeviceFloats(CAPACITY * this.#recordLength)!
    this.#ownSums = createDeviceFloats(1)!
    new Uint32Array(this.#ownSums.view().buffer, this.#ownSums.pointer, 1)[0] = sums.pointer
    const { share = { from: 0, to: length }, peers } = lowered
    const { pointers, count } = peers ?? { pointers: this.#ownSums.pointer, count: 1 }
    const meet = peers ? [meetCall(peers.meeting)] : []
    const total = makeCall('totals', [absolute(pointers), count, length, absolute(0), this.#recordLength])
    const report = [
      // The weight lies between the loss and the metrics, and is the same at every step.
      ...captured.resultPlaces.map((place, i) =>
        makeCall('copyRows', [place, absolute(sums.pointer + 4 * (length + (i === 0 ? 0 : i + 1))), 1, 4, 0, 0]),
      ),
      ...meet,
      { ...total, inputs: new Map([[3, 'record']]) },
    ]
    const calls: ProgramCall[] = [...captured.program.calls, ...report]
    const piece = peers ? PIECE : length
    for (let from = share.from; from < share.to; from += piece) {
      const to = Math.min(share.to, from + piece)
      if (peers) calls.push(makeCall('sumRanges', [absolute(pointers), count, absolute(sums.pointer), from, to - from]))
      calls.push(callOf(update(1, { from, to })))
    }
    calls.push(...meet)
    const floats = kindsOf(update(1, share).name).flatMap((kind, i) => (kind === 'f' ? [updateInput(i)] : []))
    this.#loop = captured.program.loop!(calls, { ints: ['step', 'order', 'record'], floats }, CAPACITY)
  }

  /**
   * Runs steps, as many as the table has room for.
   *
   * @returns What the complete ones report, and at the end a step whose loss is not a finite number, if there was one.
   * @throws {TransportError} if the group of workers ends.
   */
  run({ batch, count, stride, lowered, update }: StepSeries): Float32Array[] {
    const loop = this.#loop
    const runs = Math.min(count, CAPACITY)
    const { length } = this.#parameters.layout
    const { selection } = batch
    const inputs = inputsOf(batch)
    loop.set(inputs)
    const range = lowered.share ?? { from: 0, to: length }
    for (let i = 0; i < runs; i++) {
      const record = this.#records.pointer + i * this.#recordLength * 4
      const { name, values } = update(batch.step + i, range)
      const floats = values.filter((_, argument) => kindsOf(name)[argument] === 'f')
      loop.setRun(i, [batch.step + i, inputs.order! + i * stride * 4, record], floats)
    }
    this.#parameters.gradients[length + 1] = selection.to - selection.from
    const outcome = loop.run(runs)
    if (outcome.stop === 'ended' || outcome.stop === 'late')
      throw meetingError(outcome.stop, lowered.peers!.meeting.timeoutMs)
    const complete = outcome.runs + (outcome.stop === 'notFinite' ? 1 : 0)
    const records = this.#records.view()
    return Array.from({ length: complete }, (_, i) =>
      records.slice(i * this.#recordLength, (i + 1) * this.#recordLength),
    )
  }

  dispose(): void {
    this.#loop.dispose()
    this.#records.dispose()
    this.#ownSums.dispose()
  }
}

const meetCall = ({ pointer, count, spins, timeoutMs }: Meeting): ProgramCall =>
  makeCall('meet', [absolute(pointer), count, spins, timeoutMs])

const updateInput = (argument: number) => `update ${argument}`

/** An update as a call; its float32 arguments change from step to step. */
function callOf({ name, values }: UpdateCall): ProgramCall {
  const kinds = kindsOf(name)
  const call = makeCall(
    name,
    values.map((value, i) => (kinds[i] === 'u' || kinds[i] === 'r' ? absolute(value) : value)),
  )
  return { ...call, inputs: new Map(kinds.flatMap((kind, i) => (kind === 'f' ? [[i, updateInput(i)] as const] : []))) }
}
