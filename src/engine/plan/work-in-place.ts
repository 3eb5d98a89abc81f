/** Lets calls that go element by element write where an operand lies that nobody reads again. @module */

import { elementwiseOf, isFull, type RecordedCall, readsOfJoined, writesOfJoined } from '../../backends/index.js'
import { readsOf, type Step, writesOf } from './calls.js'

/** What may work in place. */
const names: ReadonlySet<string> = new Set(['joined', 'unary', 'binary'])
/** Bytes of the elements that it may work in place on. */
const ELEMENT = 4

/**
 * Finds buffers that take the place of another: each element is read before the one that takes its place is written. So a
 * product needs no room beside its sum with the bias.
 */
export function workInPlace(step: Step): Step {
  const { given, results, sizes, calls } = step
  const first = new Map<number, number>()
  const last = new Map<number, number>()
  calls.forEach((call, index) => {
    for (const [, { buffer }] of [...readsOf(call), ...writesOf(call)]) {
      if (!first.has(buffer)) first.set(buffer, index)
      last.set(buffer, index)
    }
  })
  const inPlace = new Map<number, number>()
  const rootOf = (buffer: number) => inPlace.get(buffer) ?? buffer
  calls.forEach((call, index) => {
    const wholes = names.has(call.name) ? wholesOf(call, sizes) : undefined
    if (!wholes) return
    const isFree = (buffer: number) => !given.has(buffer) && !results.has(buffer)
    const ending = wholes.read.filter((buffer) => isFree(buffer) && last.get(buffer) === index)
    const fresh = wholes.written.filter((buffer) => isFree(buffer) && first.get(buffer) === index)
    for (const [i, buffer] of fresh.slice(0, ending.length).entries()) inPlace.set(buffer, rootOf(ending[i]!))
  })
  return { ...step, inPlace }
}

/** The buffers that a call reads or writes as a whole, element by element and in no other way. */
function wholesOf(call: RecordedCall, sizes: readonly number[]): { read: number[]; written: number[] } | undefined {
  const form = elementwiseOf(call.parts?.[0] ?? call)
  if (!form) return undefined
  const { n, out } = form
  const reads = readsOfJoined(call.parts ?? [call])
  const writes = call.parts ? writesOfJoined(call) : [{ place: call.places.get(out.argument)!, bytes: out.bytes }]
  const isWhole = ({ place: { buffer, offset }, bytes }: (typeof writes)[number]) =>
    buffer >= 0 && offset === 0 && bytes === ELEMENT && sizes[buffer] === n * ELEMENT
  const isPlain = (buffer: number) =>
    reads.every((read) => read.place.buffer !== buffer || (isFull(read.axes) && isWhole(read)))
  const written = writes.filter(isWhole).map(({ place }) => place.buffer)
  const read = [...new Set(reads.map(({ place }) => place.buffer))]
  return { read: read.filter((buffer) => buffer >= 0 && isPlain(buffer) && !written.includes(buffer)), written }
}
