/**
 * Gives each buffer its place in one range of memory; buffers that are never in use at the same time may share it.
 * @module
 */

import { readsOf, type Step, writesOf } from './calls.js'
import { cutsOf } from './divide-gradients.js'

/** Where each buffer lies. */
export interface Placement {
  /** Byte offsets, by buffer; only those that are used. */
  offsets: Map<number, number>
  /** Bytes of the whole range. */
  bytes: number
}

interface Lifetime {
  buffer: number
  bytes: number
  first: number
  last: number
}

/** A cache line. */
const ALIGNMENT = 64

/**
 * Largest first, each at the lowest place that is free for as long as it lives. Results come before all others, so that
 * they lie next to each other and are read at once.
 */
export function placeBuffers(step: Step, forever: ReadonlySet<number>): Placement {
  const placed: (Lifetime & { offset: number })[] = []
  const offsets = new Map<number, number>()
  let bytes = 0
  const passing = passingBuffers(step)
  const order = ({ buffer }: Lifetime) => (step.results.has(buffer) && !passing.has(buffer) ? 0 : 1)
  const lifetimes = lifetimesOf(step, forever).sort(
    (a, b) => order(a) - order(b) || b.bytes - a.bytes || a.first - b.first,
  )
  for (const lifetime of lifetimes) {
    const rivals = placed.filter(({ first, last }) => first <= lifetime.last && lifetime.first <= last)
    let offset = 0
    for (const rival of rivals) {
      if (rival.offset >= offset + lifetime.bytes) break
      offset = Math.max(offset, rival.offset + rival.bytes)
    }
    const entry = { ...lifetime, offset }
    // Sorted by offset, so that the first gap is found in one pass.
    let low = 0
    let high = placed.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (placed[middle]!.offset < offset) low = middle + 1
      else high = middle
    }
    placed.splice(low, 0, entry)
    offsets.set(lifetime.buffer, offset)
    bytes = Math.max(bytes, offset + lifetime.bytes)
  }
  for (const [buffer, other] of step.inPlace ?? []) offsets.set(buffer, offsets.get(other)!)
  return { offsets, bytes }
}

/**
 * From the first call that touches a buffer to the last; given ones from the start, results to the end, those of buckets
 * until they are handed over. What lies where another lies lives with it.
 */
function lifetimesOf(step: Step, forever: ReadonlySet<number>): Lifetime[] {
  const { calls, sizes, given, results, inPlace, buckets = [] } = step
  const spans = new Map<number, { first: number; last: number }>()
  const note = (touched: number, index: number) => {
    if (touched < 0) return
    const buffer = inPlace?.get(touched) ?? touched
    const span = spans.get(buffer)
    if (span) span.last = Math.max(span.last, index)
    else spans.set(buffer, { first: given.has(buffer) ? -1 : index, last: index })
  }
  calls.forEach((call, index) => {
    for (const [, { buffer }] of [...readsOf(call), ...writesOf(call)]) note(buffer, index)
  })
  const cuts = cutsOf(step)
  for (const [i, { place }] of buckets.entries()) note(place.buffer, cuts[i]! - 1)
  const passing = passingBuffers(step)
  for (const buffer of results) if (!passing.has(buffer)) note(buffer, calls.length)
  for (const buffer of forever) if (spans.has(buffer)) note(buffer, calls.length)
  return [...spans].map(([buffer, { first, last }]) => ({
    buffer,
    first,
    last,
    bytes: Math.ceil(Math.max(1, sizes[buffer]!) / ALIGNMENT) * ALIGNMENT,
  }))
}

/** Buffers that are handed over while the step runs. */
const passingBuffers = (step: Step): ReadonlySet<number> => new Set(step.buckets?.map(({ place }) => place.buffer))

/** Bytes of the buckets that live at the same time, at most. */
export function bytesOfBuckets(step: Step): number {
  const buffers = passingBuffers(step)
  const lifetimes = lifetimesOf(step, new Set()).filter(({ buffer }) => buffers.has(buffer))
  const alive = (index: number) => lifetimes.filter(({ first, last }) => first <= index && index <= last)
  return Math.max(0, ...lifetimes.map(({ first }) => alive(first).reduce((sum, { bytes }) => sum + bytes, 0)))
}
