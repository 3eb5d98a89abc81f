/**
 * Several steps in one call: gradients, their reduction over the workers, the update, and what each step is to report.
 *
 * Owns: the calls that follow a captured step, the table of what changes from step to step, the records.
 * Leaves: the step itself to captured-step.ts, which steps may run so to the engine.
 * @module
 */

import {
  createDeviceAddresses,
  createDeviceFloats,
  type DeviceAddresses,
  type DeviceFloats,
  fillPart,
  kindsOf,
  type Meeting,
  meetingError,
  type Place,
  type ProgramCall,
  type ProgramLoop,
  type RecordedCall,
} from '../backends/index.js'
import { type CapturedStep, inputsOf, isResident } from './captured-step.js'
import type { StepSeries, UpdateCall } from './engine.js'
import type { FlatParameters } from './flat-parameters.js'
import { makeCall, writeElsewhere } from './plan/index.js'

/** Steps in one call. */
const CAPACITY = 512
/** Steps of a part of a loop: a GPU begins with the first while the host prepares the next. */
const PART = 32
/** Elements that are added up and updated at a time: 32 KiB, so that the sums are still in the nearest cache. */
const PIECE = 8192

const absolute = (offset: number): Place => ({ buffer: -1, offset })

/** The loop of one captured step. */
export class CapturedSeries {
  /** What the loop was made for. */
  readonly lowered: StepSeries['lowered']
  readonly #captured: CapturedStep
  readonly #parameters: FlatParameters
  readonly #loop: ProgramLoop
  /** Indices of the arguments of the update that change from step to step. */
  readonly #updateInputs: readonly number[]
  /** Loss, weight and metrics of each step. */
  readonly #records: DeviceFloats
  readonly #recordLength: number
  /** Where the own sums begin, for a worker that is alone. */
  readonly #ownSums: DeviceAddresses

  constructor(captured: CapturedStep, parameters: FlatParameters, { lowered, update }: StepSeries) {
    this.lowered = lowered
    this.#captured = captured
    this.#parameters = parameters
    const { length } = parameters.layout
    const sums = parameters.sums.device!
    this.#recordLength = sums.length - length
    this.#records = createDeviceFloats(CAPACITY * this.#recordLength)!
    this.#ownSums = createDeviceAddresses([sums.pointer])
    const { share = { from: 0, to: length }, peers } = lowered
    const { pointers, count } = peers ?? { pointers: this.#ownSums.pointer, count: 1 }
    const meet = peers ? [meetCall(peers.meeting)] : []
    // The weight lies between the loss and the metrics, and is the same at every step.
    const tail = captured.resultPlaces.map((_, i) => absolute(sums.pointer + 4 * (length + (i === 0 ? 0 : i + 1))))
    const total = makeCall('totals', [absolute(pointers), count, length, absolute(0), this.#recordLength])
    const calls: ProgramCall[] = [
      ...leaveResults(captured, tail),
      ...meet,
      { ...total, inputs: new Map([[3, 'record']]) },
    ]
    const piece = peers ? PIECE : length
    for (let from = share.from; from < share.to; from += piece) {
      const to = Math.min(share.to, from + piece)
      if (peers) calls.push(makeCall('sumRanges', [absolute(pointers), count, absolute(sums.pointer), from, to - from]))
      calls.push(callOf(update(1, { from, to })))
    }
    calls.push(...meet)
    this.#updateInputs = floatsOf(update(1, share).name)
    const varying = { ints: ['step', 'order', 'record'], floats: this.#updateInputs.map(updateInput) }
    this.#loop = captured.program.loop(calls, varying, PART)
  }

  /**
   * Runs steps, as many as there is room for records of.
   *
   * @returns What the complete ones report, and at the end a step whose loss is not a finite number, if there was one.
   * @throws {TransportError} if the group of workers ends.
   */
  async run({ batch, count, stride, lowered, update }: StepSeries): Promise<Float32Array[]> {
    const loop = this.#loop
    const runs = Math.min(count, CAPACITY)
    const { length } = this.#parameters.layout
    const { selection } = batch
    const { order = 0, ...inputs } = inputsOf(batch)
    const range = lowered.share ?? { from: 0, to: length }
    fillPart(this.#parameters.sums.device!, length + 1, 1, selection.to - selection.from)
    loop.begin(inputs)
    // Rows that the host gathers are there for one step at a time.
    const part = isResident(batch) ? PART : 1
    let complete = 0
    while (complete < runs) {
      const first = complete
      const steps = Math.min(part, runs - first)
      for (let i = 0; i < steps; i++) {
        const record = this.#records.pointer + (first + i) * this.#recordLength * 4
        const { values } = update(batch.step + first + i, range)
        const ints = [batch.step + first + i, order + (first + i) * stride * 4, record]
        loop.setRun(
          i,
          ints,
          this.#updateInputs.map((argument) => values[argument]!),
        )
      }
      const [from, to] = [selection.from, selection.to].map((row) => row + first * stride) as [number, number]
      this.#captured.fill({ ...batch, selection: { ...selection, from, to } })
      const outcome = loop.run(steps)
      if (outcome.stop === 'ended' || outcome.stop === 'late')
        throw meetingError(outcome.stop, lowered.peers!.meeting.timeoutMs)
      complete += outcome.runs
      // Without an update that step is complete too.
      if (outcome.stop === 'notFinite') complete++
      if (outcome.stop !== undefined) break
    }
    return this.#read(complete)
  }

  dispose(): void {
    this.#loop.dispose()
    this.#records.dispose()
    this.#ownSums.dispose()
  }

  /** The records up to the first whose loss is not a finite number: where nobody waits, steps after it are told of. */
  async #read(count: number): Promise<Float32Array[]> {
    const width = this.#recordLength
    const values = await this.#records.read(0, count * width)
    const records = Array.from({ length: count }, (_, i) => values.slice(i * width, (i + 1) * width))
    const last = records.findIndex(([loss]) => !Number.isFinite(loss))
    return last < 0 ? records : records.slice(0, last + 1)
  }
}

/** The calls of a step, which leave its results at given places: by themselves, or by a copy. */
function leaveResults(captured: CapturedStep, places: readonly Place[]): ProgramCall[] {
  let calls: readonly RecordedCall[] = captured.program.calls
  const copies: ProgramCall[] = []
  for (const [i, place] of captured.resultPlaces.entries()) {
    const moved = writeElsewhere(calls, place, places[i]!)
    if (moved) calls = moved
    else copies.push(makeCall('copyRows', [place, places[i]!, 1, 4, 0, 0]))
  }
  return [...calls, ...copies]
}

const meetCall = ({ pointer, count, spins, timeoutMs }: Meeting): ProgramCall =>
  makeCall('meet', [absolute(pointer), count, spins, timeoutMs])

const updateInput = (argument: number) => `update ${argument}`

/** Indices of the float32 arguments of an update: those that may depend on the step. */
const floatsOf = (name: UpdateCall['name']): number[] =>
  kindsOf(name).flatMap((kind, argument) => (kind === 'f' ? [argument] : []))

/** An update as a call; its float32 arguments change from step to step. */
function callOf({ name, values }: UpdateCall): ProgramCall {
  const kinds = kindsOf(name)
  const call = makeCall(
    name,
    values.map((value, i) => (kinds[i] === 'u' || kinds[i] === 'r' ? absolute(value) : value)),
  )
  return { ...call, inputs: new Map(floatsOf(name).map((argument) => [argument, updateInput(argument)])) }
}
