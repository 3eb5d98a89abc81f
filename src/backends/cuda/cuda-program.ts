/**
 * A captured step on a GPU.
 *
 * Owns: one range for all that the calls compute, and the numbers that they are given anew.
 * Leaves: which calls, and where each buffer lies in that range, to whoever planned it; what is one graph to launches.ts.
 * @module
 */

import { elementwiseOf, MAX_READS, placeKey } from '../elementwise-calls.js'
import type {
  LoopOutcome,
  ProgramInputs,
  ProgramLoop,
  ProgramPlan,
  ProgramResult,
  StepProgram,
  VaryingInputs,
} from '../step-program.js'
import { type CallName, callTable, kindsOf } from '../wasm/program/call-table.js'
import type { Place, ProgramCall, RecordedCall } from '../wasm/program/recorder.js'
import { Cells, cellsOf } from './cells.js'
import { writeChain } from './chain-source.js'
import type { CudaBackend } from './cuda-backend.js'
import { placesOfCopies } from './kernels/products.js'
import { Launches, pieceOf } from './launches.js'
import type { AddressRange } from './operand-copies.js'

/** Bytes between results, at most, up to which all are copied at once: less than a second copy costs. */
const GAP_BYTES = 16384

/** One program in the memory of a GPU. */
export class CudaProgram implements StepProgram {
  readonly isAssisted = false
  readonly #backend: CudaBackend
  readonly #plan: ProgramPlan
  readonly #arena: number
  readonly #cells: Cells
  readonly #launches: Launches

  constructor(backend: CudaBackend, plan: ProgramPlan) {
    this.#backend = backend
    this.#plan = plan
    this.#cells = new Cells(backend.device, plan.calls)
    try {
      this.#arena = backend.heap.allocate(plan.bytes, 'program', [plan.bytes])
    } catch (error) {
      this.#cells.dispose()
      throw error
    }
    for (const [buffer, values] of plan.constants) {
      const offset = plan.offsets.get(buffer)
      if (offset !== undefined) backend.device.upload(this.#arena + offset, values)
    }
    this.#launches = new Launches(backend.device, this.#pieces(plan.calls, this.#cells))
  }

  get calls(): readonly RecordedCall[] {
    return this.#plan.calls
  }

  get sizeBytes(): number {
    return this.#plan.bytes
  }

  address({ buffer, offset }: Place): number {
    return buffer < 0 ? offset : this.#arena + this.#plan.offsets.get(buffer)! + offset
  }

  run(inputs: ProgramInputs): number {
    this.setInputs(inputs)
    return this.runCalls(0, this.calls.length)
  }

  setInputs(inputs: ProgramInputs): void {
    this.#cells.set(inputs)
    this.#cells.send()
  }

  runCalls(from: number, to: number): number {
    this.#launches.run(from, to)
    return 0
  }

  time(inputs: ProgramInputs): number[] {
    this.setInputs(inputs)
    const { device } = this.#backend
    device.finish()
    const times: number[] = []
    device.copies.apart(() => {
      for (let i = 0; i < this.calls.length; i++) {
        const start = performance.now()
        this.#launches.runPiece(i)
        device.finish()
        times.push(performance.now() - start)
      }
    })
    return times
  }

  async read(results: readonly ProgramResult[]): Promise<Float32Array[]> {
    const { device } = this.#backend
    const ranges = results.map(({ place, length }) => ({ from: this.address(place), length }))
    const start = Math.min(...ranges.map(({ from }) => from))
    const end = Math.max(...ranges.map(({ from, length }) => from + length * 4))
    const sizeBytes = ranges.reduce((sum, { length }) => sum + length * 4, 0)
    if (end - start > sizeBytes + GAP_BYTES)
      return Promise.all(ranges.map(async ({ from, length }) => new Float32Array(await device.fetch(from, length * 4))))
    const bytes = await device.fetch(start, end - start)
    return ranges.map(({ from, length }) => new Float32Array(bytes, from - start, length))
  }

  loop(calls: readonly ProgramCall[], varying: VaryingInputs, capacity: number): ProgramLoop {
    const cells = new Cells(this.#backend.device, calls, varying, capacity)
    const { takeRow } = this.#backend.lateKernels
    const pieces = [() => takeRow(cells.row), ...this.#pieces(calls, cells)]
    return new CudaLoop(new Launches(this.#backend.device, pieces), cells)
  }

  dispose(): void {
    this.#launches.dispose()
    this.#cells.dispose()
    this.#backend.heap.release(this.#arena)
  }

  #pieces(calls: readonly ProgramCall[], cells: Cells): (() => void)[] {
    const { chains, device } = this.#backend
    const addressOf = (place: Place) => this.address(place)
    const lateOf = (part: ProgramCall) => new Map(cellsOf(part).map(([i, cell]) => [i, cells.address(cell)]))
    const copied = placesOfCopies(device, calls)
    const isCopied = (place: Place) => place.buffer >= 0 && copied.has(placeKey(place))
    const chained = calls.map((call) => {
      const joined = asJoined(call, isCopied)
      return joined && writeChain(joined, addressOf, lateOf, isCopied)
    })
    chains.add(chained.filter((chain) => chain !== undefined))
    return calls.map((call, i) => {
      const chain = chained[i]
      const copies = chain?.copies.map(({ pointer }) => [pointer, chain.n] as const) ?? []
      const piece = chain
        ? () => device.copies.writeBeside(copies, (...to) => chains.run(chain, ...to))
        : pieceOf(this.#backend, call, cells, addressOf)
      const ranges = [...call.places.values()].flatMap((place) => this.#rangeOf(place) ?? [])
      const awaited = writesOf(call).filter(isCopied).map(addressOf)
      return () => device.copies.within(ranges, awaited, piece)
    })
  }

  /** What a place leads into. */
  #rangeOf({ buffer, offset }: Place): AddressRange | undefined {
    if (buffer < 0) return this.#backend.heap.rangeAround(offset)
    const from = this.address({ buffer, offset: 0 })
    return { from, to: from + this.#plan.sizes[buffer]! }
  }
}

/** The places that a call writes. */
const writesOf = ({ name, places }: ProgramCall): Place[] =>
  kindsOf(name).flatMap((kind, i) => (kind === 'w' || kind === 'u' ? (places.get(i) ?? []) : []))

/** A joined call; also one by itself that goes by elements, if its result is to be copied. */
function asJoined(
  { name, ...call }: ProgramCall,
  isCopied: (place: Place) => boolean,
): Pick<RecordedCall, 'parts' | 'places'> | undefined {
  if (call.parts) return call
  if (!(name in callTable)) return undefined
  const part = { ...call, name: name as CallName }
  const out = elementwiseOf(part)?.out
  const place = out && call.places.get(out.argument)
  return place && isCopied(place) ? { parts: [part], places: new Map([[MAX_READS, place]]) } : undefined
}

/** Calls that run many times: a launch of a graph for each run, and nothing that waits. */
class CudaLoop implements ProgramLoop {
  readonly #launches: Launches
  readonly #cells: Cells
  #isStart = true

  constructor(launches: Launches, cells: Cells) {
    this.#launches = launches
    this.#cells = cells
  }

  begin(inputs: ProgramInputs): void {
    this.#cells.set(inputs)
    this.#isStart = true
  }

  setRun(run: number, ints: readonly number[], floats: readonly number[]): void {
    this.#cells.setRun(run, ints, floats)
  }

  run(count: number): LoopOutcome {
    this.#cells.send({ isStart: this.#isStart })
    this.#isStart = false
    for (let i = 0; i < count; i++) this.#launches.run()
    return { runs: count }
  }

  dispose(): void {
    this.#launches.dispose()
    this.#cells.dispose()
  }
}
