/** Makes constants and random numbers anew for each call that reads them. @module */

import { dtypeCodes, elementwiseOf, isFull, type RecordedCall, randomCodes } from '../../backends/index.js'
import { change, makeCall, numberOf, type Step, usesOf, writesOf } from './calls.js'

/** The least float32 that is not denormal. */
const LEAST = 2 ** -126

/**
 * Gives each reader of drawn numbers, or of a tensor of equal ones, a call of its own that makes them, where the two can
 * be joined: the numbers stay in registers then. A mask of dropout takes no memory from the forward to the backward pass,
 * and the ones that tfjs multiplies the gradient of a sum with take none at all.
 *
 * @param constants - Buffers that are the same at every step.
 */
export function repeatDraws(step: Step, constants: ReadonlyMap<number, Uint8Array>): Step {
  const { readers, writers } = usesOf(step.calls)
  const sizes = [...step.sizes]
  /** New calls, by the index of the call that they come before. */
  const before = new Map<number, RecordedCall[]>()
  const changed = new Map<number, RecordedCall>()
  /** Lets some calls read what a copy of a call makes instead of a buffer. */
  const repeat = (call: RecordedCall, buffer: number, indices: readonly number[]) => {
    const [[argument]] = writesOf(call) as [[number, unknown]]
    for (const index of indices) {
      const place = { buffer: sizes.push(sizes[buffer]!) - 1, offset: 0 }
      const reader = changed.get(index) ?? step.calls[index]!
      const moved = [...reader.places].filter(([, at]) => at.buffer === buffer)
      changed.set(index, change(reader, { places: moved.map(([i]) => [i, place]) }))
      before.set(index, [...(before.get(index) ?? []), change(call, { places: [[argument, place]] })])
    }
  }
  const areFit = (buffer: number, n: number) =>
    !step.results.has(buffer) && (readers.get(buffer) ?? []).every((index) => readsWhole(step.calls[index]!, buffer, n))

  for (const call of step.calls) {
    const form = isCheap(call) ? elementwiseOf(call) : undefined
    if (!form) continue
    const { buffer, offset } = call.places.get(form.out.argument)!
    const isOwn = offset === 0 && sizes[buffer] === form.n * form.out.bytes && writers.get(buffer)?.length === 1
    if (isOwn && !step.given.has(buffer) && areFit(buffer, form.n))
      repeat(call, buffer, (readers.get(buffer) ?? []).slice(1))
  }
  for (const [buffer, bytes] of constants) {
    const value = equalFloats(bytes)
    const n = bytes.length / 4
    if (value === undefined || writers.has(buffer) || !areFit(buffer, n)) continue
    repeat(makeCall('fill', [dtypeCodes.float32, { buffer, offset: 0 }, n, value]), buffer, readers.get(buffer) ?? [])
  }
  const calls = step.calls.flatMap((call, index) => [...(before.get(index) ?? []), changed.get(index) ?? call])
  return { ...step, calls, sizes }
}

/** Whether making the elements takes less than reading them. */
const isCheap = (call: RecordedCall): boolean =>
  call.name === 'fill' || (call.name === 'philoxFill' && numberOf(call, 3) !== randomCodes.normal)

/** Whether a call goes by the elements of a buffer. */
function readsWhole(call: RecordedCall, buffer: number, n: number): boolean {
  const form = elementwiseOf(call)
  const operands = form?.operands.filter(({ argument }) => call.places.get(argument)!.buffer === buffer)
  return (
    form?.n === n && operands!.every(({ argument, axes }) => isFull(axes) && call.places.get(argument)!.offset === 0)
  )
}

/** The number that several float32 are alike, bit by bit. */
function equalFloats(bytes: Uint8Array): number | undefined {
  if (bytes.length < 8 || bytes.length % 4 !== 0) return undefined
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  if (!words.every((word) => word === words[0])) return undefined
  const [value] = new Float32Array(bytes.buffer, bytes.byteOffset, 1)
  // What is an int32 instead keeps its bits only where they are an ordinary float32.
  return words[0] === 0 || (Number.isFinite(value) && Math.abs(value!) >= LEAST) ? value : undefined
}
