/**
 * Gives gradients that are handed over in buckets a place for no longer than that takes.
 *
 * A step is recorded with all gradients in one flat buffer. Here each bucket becomes a buffer of its own; products that
 * compute a tensor of several buckets are divided into one for each.
 * @module
 */

import type { Place, RecordedCall } from '../../backends/index.js'
import type { ElementRange } from '../gradient-buckets.js'
import type { ParameterLayout } from '../layout.js'
import { change, numberOf, type Step, usesOf, writesOf } from './calls.js'

/** The flat buffer of a recording, and what is made of it. */
export interface DividedGradients {
  /** Byte offset of the flat buffer. */
  readonly pointer: number
  readonly layout: ParameterLayout
  readonly ranges: readonly ElementRange[]
}

/** Gradients as a step leaves them for a moment. */
export interface Bucket {
  /** Where they begin. */
  readonly place: Place
  /** Number of elements. */
  readonly length: number
  /** Elements that the step leaves as they were: they are to be zero. */
  readonly gaps: readonly ElementRange[]
}

type Entry = ParameterLayout['entries'][number]

/** Moves gradients from the flat buffer to the buckets. */
export function divideGradients(step: Step, { pointer, layout, ranges }: DividedGradients): Step {
  const sizes = [...step.sizes]
  const entryOf = ({ buffer, offset }: Place): Entry | undefined => {
    const element = (offset - pointer) / 4
    if (buffer >= 0 || element < 0 || element >= layout.length) return undefined
    return layout.entries.find((entry) => element >= entry.offset && element < entry.offset + entry.length)
  }
  const touching = new Map<Entry, RecordedCall[]>()
  for (const call of step.calls)
    for (const entry of new Set([...call.places.values()].map(entryOf)))
      if (entry) touching.set(entry, [...(touching.get(entry) ?? []), call])

  const places: Place[] = ranges.map(({ from, to }) => ({ buffer: sizes.push((to - from) * 4) - 1, offset: 0 }))
  /** The calls that take the place of one. */
  const parts = new Map<RecordedCall, RecordedCall[]>()
  /** Where a tensor begins that is in one piece. */
  const starts = new Map<Entry, Place>()
  for (const [entry, calls] of touching) {
    const [only] = calls.length === 1 ? calls : []
    if (only?.name === 'fill' && numberOf(only, 3) === 0) {
      parts.set(only, [])
      touching.delete(entry)
      continue
    }
    const last = ranges.findIndex(({ from }) => from <= entry.offset)
    const first = ranges.findLastIndex(({ to }) => to >= entry.offset + entry.length)
    const several = ranges.slice(first, last + 1)
    const product = only && first < last ? rowsOfProduct(only, entry, several) : undefined
    if (product)
      parts.set(
        only!,
        several.map((range, i) => product(range, places[first + i]!)),
      )
    else if (first === last)
      starts.set(entry, { buffer: places[first]!.buffer, offset: (entry.offset - ranges[first]!.from) * 4 })
    else {
      // In one piece, of which the buckets are parts; behind it there is room for what belongs to no tensor.
      const bytes = (ranges[first]!.to - entry.offset) * 4
      const whole = { buffer: sizes.push(bytes) - 1, offset: 0 }
      starts.set(entry, whole)
      for (let i = first; i <= last; i++)
        places[i] = { buffer: whole.buffer, offset: (ranges[i]!.from - entry.offset) * 4 }
    }
  }

  const inBuckets = (call: RecordedCall): RecordedCall => {
    const moved: [number, Place][] = []
    for (const [i, place] of call.places) {
      const entry = entryOf(place)
      const start = entry && starts.get(entry)
      if (start) moved.push([i, { ...start, offset: start.offset + place.offset - pointer - entry.offset * 4 }])
    }
    return change(call, { places: moved })
  }
  const single = new Set([...touching.values()].flatMap((calls) => (calls.length === 1 ? calls : [])))
  const calls = copiedAtOnce(step.calls, single).flatMap((call) => (parts.get(call) ?? [call]).map(inBuckets))
  const buckets = ranges.map(({ from, to }, i) => ({
    place: places[i]!,
    length: to - from,
    gaps: gapsOf({ from, to }, [...touching.keys()]),
  }))
  const results = new Set([...step.results, ...places.map(({ buffer }) => buffer)])
  return { ...step, calls, sizes, results, buckets }
}

/**
 * A product of matrices as a function of the rows of its result that are wanted; undefined where it is another call, or
 * has longer rows than the tensor and a bucket begins within one.
 */
function rowsOfProduct(
  call: RecordedCall,
  entry: Entry,
  ranges: readonly ElementRange[],
): ((range: ElementRange, out: Place) => RecordedCall) | undefined {
  if (call.name !== 'matMul' || writesOf(call).length !== 1 || numberOf(call, 13) !== 1) return undefined
  const [rows, columns, transposeA, strideA, strideOut] = [5, 6, 8, 10, 12].map((i) => numberOf(call, i))
  if (strideOut !== columns || rows! * columns! !== entry.length) return undefined
  if (ranges.some(({ from }) => (from - entry.offset) % columns! !== 0)) return undefined
  const a = call.places.get(0)!
  return ({ from, to }, out) => {
    const first = (from - entry.offset) / columns!
    // A bucket ends behind the tensor where the next one begins a little later.
    const count = Math.min(rows! - first, Math.floor((to - from) / columns!))
    const skipped = first * (transposeA ? 1 : strideA!) * 4
    return change(call, {
      places: [
        [0, { ...a, offset: a.offset + skipped }],
        [2, out],
      ],
      numbers: [[5, count]],
    })
  }
}

/** Copies of gradients as soon as there is something to copy: they were recorded when all gradients were there. */
function copiedAtOnce(calls: readonly RecordedCall[], copies: ReadonlySet<RecordedCall>): RecordedCall[] {
  const { writers } = usesOf(calls)
  const behind = calls.map((): RecordedCall[] => [])
  const kept = calls.map((call, index) => {
    if (call.name !== 'copyRows' || !copies.has(call)) return call
    const last = writers.get(call.places.get(0)!.buffer)?.at(-1)
    if (last === undefined || last >= index) return call
    behind[last]!.push(call)
    return undefined
  })
  return kept.flatMap((call, index) => [...(call ? [call] : []), ...behind[index]!])
}

/** What of a range no entry covers, counted from its start. */
function gapsOf({ from, to }: ElementRange, entries: readonly Entry[]): ElementRange[] {
  const gaps: ElementRange[] = []
  let at = from
  for (const { offset, length } of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (offset + length <= at || offset >= to) continue
    if (offset > at) gaps.push({ from: at - from, to: offset - from })
    at = offset + length
  }
  if (at < to) gaps.push({ from: at - from, to: to - from })
  return gaps
}

/** How many calls have run when each bucket is complete and can be handed over, in order. */
export function cutsOf({ calls, buckets = [] }: Step): number[] {
  const lastUse = new Map<number, number>()
  calls.forEach(({ places }, index) => {
    for (const { buffer } of places.values()) lastUse.set(buffer, index)
  })
  let cut = 0
  return buckets.map(({ place }) => {
    cut = Math.max(cut, (lastUse.get(place.buffer) ?? -1) + 1)
    return cut
  })
}
