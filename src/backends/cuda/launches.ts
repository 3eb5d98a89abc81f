/**
 * Work that is started again and again: piece by piece at first, as one launch of a graph from then on.
 * @module
 */

import { kindsOf } from '../wasm/program/call-table.js'
import type { Place, ProgramCall } from '../wasm/program/recorder.js'
import { type Cells, cellsOf } from './cells.js'
import type { CudaBackend } from './cuda-backend.js'
import type { CudaDevice, CudaGraph } from './cuda-device.js'
import type { LateName } from './kernels/late.js'

/** Pieces in a row. */
interface Segment {
  runs: number
  graph?: CudaGraph
}

/** Pieces of work, in order. */
export class Launches {
  readonly #device: CudaDevice
  readonly #pieces: readonly (() => void)[]
  /** By first and last piece. */
  readonly #segments = new Map<string, Segment>()

  constructor(device: CudaDevice, pieces: readonly (() => void)[]) {
    this.#device = device
    this.#pieces = pieces
  }

  /** Starts the pieces from one up to another; the first run compiles what a capture could not, the second is captured. */
  run(from = 0, to = this.#pieces.length): void {
    if (to <= from) return
    const key = `${from} ${to}`
    const segment = this.#segments.get(key) ?? { runs: 0 }
    this.#segments.set(key, segment)
    // In debug mode every launch is waited for, which a capture forbids. A graph of one piece saves nothing.
    const start = () => this.#start(from, to)
    if (segment.runs++ === 0 || to - from === 1 || this.#device.isDebug) this.#device.copies.apart(start)
    else {
      segment.graph ??= this.#device.capture(start)
      segment.graph.launch()
    }
  }

  /** Starts one piece by itself. */
  runPiece(index: number): void {
    this.#pieces[index]!()
  }

  dispose(): void {
    for (const { graph } of this.#segments.values()) graph?.dispose()
    this.#segments.clear()
  }

  #start(from: number, to: number): void {
    for (let i = from; i < to; i++) this.#pieces[i]!()
  }
}

/** A call as a piece of work. */
export function pieceOf(
  { kernels, lateKernels, heap, infoPointer }: CudaBackend,
  call: ProgramCall,
  cells: Cells,
  addressOf: (place: Place) => number,
): () => void {
  const late = new Map(cellsOf(call))
  const values = kindsOf(call.name).map((_, i) => {
    const cell = late.get(i)
    if (cell !== undefined) return cells.address(cell)
    const place = call.places.get(i)
    return place ? addressOf(place) : (call.numbers.get(i) ?? infoPointer)
  })
  if (late.size > 0) {
    const kernel = lateKernels[call.name as LateName]
    return () => kernel(values, cells.stop)
  }
  const kernel = kernels[call.name as keyof typeof kernels] as (...values: number[]) => unknown
  const { info } = call
  return () => {
    if (info) heap.ints.set(info)
    kernel(...values)
  }
}
