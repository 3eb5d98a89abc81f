/**
 * Updates weights as soon as their gradient is there, while it is in a near cache, instead of all at the end.
 * @module
 */

import type { Place, ProgramCall, RecordedCall } from '../../backends/index.js'
import { change, numberOf, writesOf } from './calls.js'

/** Bytes of a gradient that are computed, and used, at a time. */
export const BLOCK_BYTES = 2 ** 17
/** Rows of a block are a multiple of this, so that a product is cut where its kernel cuts it anyway. */
const ROW_STEP = 12
const MOST_ROWS = 120

/** What is updated, and how. */
export interface UpdateParts {
  /** Byte offsets of weights and gradients, and their number of elements. */
  weights: number
  gradients: number
  length: number
  /** Byte offset of `BLOCK_BYTES` bytes for the gradient of a block. */
  block: number
  /** Places that the step is judged by before anything is updated. */
  results: readonly Place[]
  /** Calls that judge it. */
  report: readonly ProgramCall[]
  /** The update of a range of elements from gradients at a byte offset. */
  update(from: number, to: number, gradients: number): ProgramCall
}

/** The calls of a step, its report and its update. Gradients that are used at once are not kept. */
export function fuseUpdates(calls: readonly RecordedCall[], parts: UpdateParts): ProgramCall[] {
  const { gradients, length, report, update } = parts
  const judged = 1 + calls.findLastIndex((call) => mayStop(call, parts.results))
  const fused: ProgramCall[] = [...calls.slice(0, judged), ...report]
  const done: { from: number; to: number }[] = []
  calls.slice(judged).forEach((call, i) => {
    const blocks = isLargeGradient(call, parts) && isAlone(calls, judged + i, parts) ? blocksOf(call, parts) : []
    if (blocks.length === 0) fused.push(call)
    else done.push(rangeOf(call, parts))
    fused.push(...blocks)
  })
  let from = 0
  for (const range of [...done.sort((a, b) => a.from - b.from), { from: length, to: length }]) {
    if (range.from > from) fused.push(update(from, range.from, gradients + from * 4))
    from = range.to
  }
  return fused
}

/** Whether a call computes a result, or may find an index outside its range: nothing is updated before. */
const mayStop = (call: RecordedCall, results: readonly Place[]): boolean =>
  call.name === 'gather' ||
  writesOf(call).some(([, { buffer, offset }]) =>
    results.some((result) => result.buffer === buffer && (buffer >= 0 || result.offset === offset)),
  )

/** Whether a call is a product, with its first factor transposed, that writes gradients of more than a block. */
function isLargeGradient(call: RecordedCall, { gradients, length }: UpdateParts): boolean {
  if (call.name !== 'matMul') return false
  const out = call.places.get(2)!
  const [activation, m, n, transposeA, rowStrideOut, batch] = [4, 5, 6, 8, 12, 13].map((i) => numberOf(call, i)) as Six
  const isGradient = out.buffer < 0 && out.offset >= gradients && out.offset < gradients + length * 4
  const isPlain = activation === 0 && transposeA === 1 && rowStrideOut === n && batch === 1
  return isGradient && isPlain && m * n * 4 > BLOCK_BYTES && rowsAtOnce(n) > 0
}

type Six = [number, number, number, number, number, number]

/** Whether no other call uses the gradient, and no later one the weights. */
function isAlone(calls: readonly RecordedCall[], index: number, parts: UpdateParts): boolean {
  const { from, to } = rangeOf(calls[index]!, parts)
  const touches = (call: RecordedCall, start: number) =>
    [...call.places.values()].some(
      ({ buffer, offset }) => buffer < 0 && offset >= start + from * 4 && offset < start + to * 4,
    )
  return calls.every(
    (call, i) => i === index || !(touches(call, parts.gradients) || (i > index && touches(call, parts.weights))),
  )
}

function rangeOf(call: RecordedCall, { gradients }: UpdateParts): { from: number; to: number } {
  const from = (call.places.get(2)!.offset - gradients) / 4
  return { from, to: from + numberOf(call, 5) * numberOf(call, 6) }
}

const rowsAtOnce = (n: number): number => Math.min(MOST_ROWS, Math.floor(BLOCK_BYTES / (n * 4 * ROW_STEP)) * ROW_STEP)

/** The product and its update, some rows of the gradient at a time. */
function blocksOf(call: RecordedCall, parts: UpdateParts): ProgramCall[] {
  const [m, n] = [numberOf(call, 5), numberOf(call, 6)]
  const a = call.places.get(0)!
  const { from } = rangeOf(call, parts)
  const step = rowsAtOnce(n)
  const blocks: ProgramCall[] = []
  for (let row = 0; row < m; row += step) {
    const rows = Math.min(step, m - row)
    const places: [number, Place][] = [
      [0, { buffer: a.buffer, offset: a.offset + row * 4 }],
      [2, { buffer: -1, offset: parts.block }],
    ]
    blocks.push(change(call, { places, numbers: [[5, rows]] }))
    blocks.push(parts.update(from + row * n, from + (row + rows) * n, parts.block))
  }
  return blocks
}
