/**
 * One recorded step of one shape: what it takes to run it again for other rows.
 *
 * Owns: the comparison of two recordings, and the program made from them.
 * Leaves: shortening and placing to plan/, when to record to the captured engine.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import {
  createProgram,
  fillRows,
  hold,
  type Place,
  type ProgramInputs,
  pointerOf,
  type RecordedCall,
  type Recording,
  type RowsContent,
  recordCalls,
  type StepProgram,
} from '../backends/index.js'
import { StateError } from '../core/index.js'
import type { Run } from './engine.js'
import { type DividedGradients, makeCall, planStep, type StepPlan, samePlace } from './plan/index.js'
import { registeredVariables, type VariableStorage } from './variable-storage.js'

/** What one run under the recorder left behind. */
export interface RecordedStep {
  readonly recording: Recording
  /** Where the results lie, and how many elements each has. */
  readonly results: readonly { place: Place; length: number }[]
  /** What was run. */
  readonly at: Run
  /** Names of the columns that rows were gathered from, by buffer. */
  readonly columns: ReadonlyMap<number, string>
  /** Variables that the step assigned, and where their new values lay. */
  readonly assigned: readonly { variable: tf.Variable; place: Place }[]
  /** Variables whose data the step read from outside, and that data. */
  readonly read: readonly { variable: tf.Variable; dataId: object }[]
  /** Why it cannot be replayed. */
  readonly refusal?: string | undefined
}

/** Runs a step with tfjs and writes down what it does. Variables that it assigns are bound to fixed places. */
export function recordStep(
  run: Run,
  storage: VariableStorage,
  ownVariables: ReadonlySet<tf.Variable>,
  compute: () => tf.Tensor[],
): RecordedStep {
  const before = new Map(registeredVariables().map((variable) => [variable, variable.dataId]))
  const { result: tensors, recording } = recordCalls(compute)
  let refusal = recording.refusal
  const assigned: { variable: tf.Variable; place: Place }[] = []
  const read: { variable: tf.Variable; dataId: object }[] = []
  for (const [variable, dataId] of before) {
    if (ownVariables.has(variable) || variable.isDisposed) continue
    if (variable.dataId !== dataId) {
      if (variable.dtype !== 'float32') refusal ??= `The step assigns a variable of dtype ${variable.dtype}.`
      else {
        assigned.push({ variable, place: recording.placeOf(pointerOf(variable)) })
        storage.bind(variable)
      }
    } else if (!storage.has(variable) && recording.outside.has(dataId as never)) read.push({ variable, dataId })
  }
  const columns = new Map<number, string>()
  recording.buffers.forEach(({ content }, buffer) => {
    if (!content || !('rows' in content)) return
    const name = Object.keys(run.columns).find((column) => run.columns[column]!.data === content.rows.source)
    if (name === undefined) refusal ??= 'The step reads rows that are not of its batch.'
    else columns.set(buffer, name)
  })
  if (tensors.some(({ dtype }) => dtype !== 'float32')) refusal ??= 'The step returns numbers that are not float32.'
  const results = tensors.map((tensor) => ({ place: recording.placeOf(pointerOf(tensor)), length: tensor.size }))
  tf.dispose(tensors)
  return { recording, results, at: run, columns, assigned, read, refusal }
}

/** Why two recordings are not of the same step, or undefined when they are. */
export function difference(a: RecordedStep, b: RecordedStep): string | undefined {
  const [first, second] = [a.recording, b.recording]
  if (first.calls.length !== second.calls.length || first.buffers.length !== second.buffers.length)
    return `The step called ${first.calls.length} kernels once and ${second.calls.length} the next time.`
  for (let i = 0; i < first.calls.length; i++) {
    const [x, y] = [first.calls[i]!, second.calls[i]!]
    if (!sameCall(x, y, a, b)) return `Call ${i + 1} of the step, ${x.name}, is not the same the next time.`
  }
  for (let i = 0; i < first.buffers.length; i++) {
    const [x, y] = [first.buffers[i]!, second.buffers[i]!]
    if (x.bytes !== y.bytes || a.columns.get(i) !== b.columns.get(i)) return 'The step uses other memory the next time.'
    const [u, v] = [constantOf(x.content), constantOf(y.content)]
    if ((u === undefined) !== (v === undefined) || (u && !u.every((byte, j) => byte === v![j])))
      return 'A tensor made in JavaScript during the step changes from step to step.'
  }
  if (a.results.some(({ place }, i) => !samePlace(place, b.results[i]!.place)))
    return 'The step returns other tensors the next time.'
  return undefined
}

/** Whether a program can gather the rows of a run by itself. */
export const isResident = ({ columns, selection }: Run): boolean =>
  selection.pointer !== undefined && Object.values(columns).every(({ pointer }) => pointer !== undefined)

/** A step that runs without tfjs. */
export class CapturedStep {
  readonly program: StepProgram
  /** How many calls tfjs made. */
  readonly recordedCalls: number
  /** Bytes of the gradients that wait to be taken at once, at most. */
  readonly passingBytes: number
  readonly #handovers: StepPlan['handovers']
  readonly #results: RecordedStep['results']
  /** Rows to gather in JavaScript: those of columns that the program cannot reach. */
  readonly #rows: { place: Place; column: string; content: RowsContent }[]
  readonly #read: RecordedStep['read']
  readonly #release: () => void

  /**
   * @param last - The later of two recordings without a difference.
   * @param divided - The gradients that it hands over in buckets, if it does.
   */
  constructor(last: RecordedStep, previous: RecordedStep, storage: VariableStorage, divided?: DividedGradients) {
    const { recording, columns, assigned } = last
    const given = new Set<number>()
    const constants = new Map<number, Uint8Array>()
    const gathers: RecordedCall[] = []
    recording.buffers.forEach(({ content }, buffer) => {
      const constant = constantOf(content)
      if (constant) constants.set(buffer, constant)
      if (content && 'rows' in content && isResident(last.at))
        gathers.push(gatherCall(buffer, columns.get(buffer)!, content.rows, last.at))
      else if (content) given.add(buffer)
    })
    const calls = [...gathers, ...recording.calls.map((call) => withInputs(call, last, previous))]
    for (const { variable, place } of assigned) {
      const to = { buffer: -1, offset: storage.pointer(variable) }
      calls.push(makeCall('copyRows', [place, to, 1, variable.size * 4, 0, 0]))
    }
    const results = new Set(last.results.map(({ place }) => place.buffer).filter((buffer) => buffer >= 0))
    const sizes = recording.buffers.map(({ bytes }) => bytes)
    const plan = planStep({ calls, sizes, given, results }, constants, divided)
    this.program = createProgram(plan)
    this.passingBytes = plan.passingBytes
    this.#handovers = plan.handovers
    this.recordedCalls = recording.calls.length
    this.#results = last.results
    this.#rows = [...columns]
      .filter(([buffer]) => given.has(buffer) && plan.offsets.has(buffer))
      .map(([buffer, column]) => {
        const { content } = recording.buffers[buffer]!
        return { place: { buffer, offset: 0 }, column, content: (content as { rows: RowsContent }).rows }
      })
    this.#read = last.read
    this.#release = hold(recording.outside)
  }

  /** Whether the variables that the step reads are those that it was recorded with. */
  get isCurrent(): boolean {
    return this.#read.every(({ variable, dataId }) => !variable.isDisposed && variable.dataId === dataId)
  }

  /**
   * Computes the results for some rows, after `fill`; false when an index lies outside its range, which tfjs reports
   * better.
   */
  run(run: Run): boolean {
    return this.program.run(inputsOf(run)) === 0
  }

  /**
   * The same for a step that hands over its gradients: waits at each bucket until it is taken.
   *
   * @throws {StateError} if an index turns out to lie outside its range when a bucket was taken already.
   */
  async runInBuckets(run: Run, take: (bucket: number, values: Float32Array) => Promise<void>): Promise<boolean> {
    const { program } = this
    program.setInputs(inputsOf(run))
    let from = 0
    for (const [i, { place, length, gaps, cut }] of this.#handovers.entries()) {
      if (program.runCalls(from, cut) > 0) return refuseFault(i > 0)
      from = cut
      const [values] = (await program.read([{ place, length }])) as [Float32Array]
      for (const gap of gaps) values.fill(0, gap.from, gap.to)
      await take(i, values)
    }
    return program.runCalls(from, program.calls.length) === 0 || refuseFault(true)
  }

  /** Where the results of a run lie. */
  get resultPlaces(): Place[] {
    return this.#results.map(({ place }) => place)
  }

  /** The results of the last run: views that the next one may overwrite. */
  results(): Promise<Float32Array[]> {
    return this.program.read(this.#results)
  }

  /**
   * Gathers the rows that the program does not gather by itself, before each run: their memory may hold something else by
   * its end. Apart from the run, for what comes between may wait, and a stream use its arrays again meanwhile.
   */
  fill({ columns, selection }: Run): void {
    for (const { place, column, content } of this.#rows) {
      const source = columns[column]!.data
      fillRows(this.program.address(place), { ...content, source }, selection)
    }
  }

  dispose(): void {
    this.program.dispose()
    this.#release()
  }
}

function refuseFault(isTooLate: boolean): false {
  if (isTooLate) throw new StateError('An index lies outside its range.')
  return false
}

const constantOf = (content: Recording['buffers'][number]['content']) =>
  content && 'constant' in content ? content.constant : undefined

/** What a program needs to know of a run. */
export function inputsOf({ columns, selection, step, firstRow }: Run): ProgramInputs {
  const inputs: Record<string, number> = { step, firstRow }
  if (selection.pointer === undefined) return inputs
  inputs.order = selection.pointer + selection.from * 4
  for (const name of Object.keys(columns)) inputs[columnInput(name)] = columns[name]!.pointer ?? 0
  return inputs
}

const columnInput = (name: string) => `column ${name}`

/** Gathers the rows of a column that lies in the memory of the backend. */
function gatherCall(buffer: number, column: string, { width, dtype }: RowsContent, { selection }: Run): RecordedCall {
  const count = selection.to - selection.from
  const rowBytes = width * (dtype === 'uint8' ? 1 : 4)
  const given = { buffer: -1, offset: 0 }
  const call = makeCall('gather', [given, given, { buffer, offset: 0 }, 1, MOST_ROWS, count, rowBytes])
  const inputs = new Map([
    [0, columnInput(column)],
    [1, 'order'],
  ])
  return { ...call, inputs }
}

/** Row numbers are dcml's own: there is nothing to check. */
const MOST_ROWS = 2 ** 31 - 1
/** Arguments of philoxFill. */
const STEP = 6
const FIRST_ROW = 7

/** Marks the numbers that stand for the step and the first row. */
function withInputs(call: RecordedCall, { at: now }: RecordedStep, { at: before }: RecordedStep): RecordedCall {
  if (call.name !== 'philoxFill') return call
  const inputs = new Map<number, string>()
  if (call.numbers.get(STEP) === now.step && now.step !== before.step) inputs.set(STEP, 'step')
  if (call.numbers.get(FIRST_ROW) === now.firstRow) inputs.set(FIRST_ROW, 'firstRow')
  return { ...call, inputs }
}

function sameCall(x: RecordedCall, y: RecordedCall, a: RecordedStep, b: RecordedStep): boolean {
  if (x.name !== y.name) return false
  for (const [i, place] of x.places) {
    const other = y.places.get(i)!
    if (!samePlace(place, other)) return false
  }
  const isRandom = x.name === 'philoxFill'
  for (const [i, value] of x.numbers) {
    const other = y.numbers.get(i)
    if (Object.is(value, other)) continue
    const isStep = isRandom && i === STEP && value === a.at.step && other === b.at.step
    const isRow = isRandom && i === FIRST_ROW && value === a.at.firstRow && other === b.at.firstRow
    if (!isStep && !isRow) return false
  }
  return x.info === undefined || x.info.every((value, i) => value === y.info![i])
}
