/** Lets a kernel write where its result is copied to. @module */

import type { Place, RecordedCall } from '../../backends/index.js'
import { change, numberOf, type Step, samePlace, usesOf, writesOf } from './calls.js'

/**
 * Replaces a buffer that is only copied to a place outside the step, such as a gradient in the flat buffer, by that
 * place, and leaves the copy out.
 */
export function writeResultsDirectly(step: Step): Step {
  const { writers } = usesOf(step.calls)
  const moved = new Map<number, number>()
  const taken = new Set<number>()
  step.calls.forEach((call, index) => {
    if (call.name !== 'copyRows' || numberOf(call, 2) !== 1) return
    const from = call.places.get(0)!
    const to = call.places.get(1)!
    const bytes = numberOf(call, 3)
    if (to.buffer >= 0 || from.buffer < 0 || from.offset !== 0 || step.sizes[from.buffer] !== bytes) return
    if (
      step.given.has(from.buffer) ||
      step.results.has(from.buffer) ||
      moved.has(from.buffer) ||
      !writers.has(from.buffer)
    )
      return
    if (touchedElsewhere(step.calls, index, to.offset, bytes)) return
    moved.set(from.buffer, to.offset)
    taken.add(index)
  })
  if (moved.size === 0) return step
  const calls = step.calls
    .filter((_, index) => !taken.has(index))
    .map((call) => {
      const places: [number, Place][] = []
      for (const [i, { buffer, offset }] of call.places) {
        const start = moved.get(buffer)
        if (start !== undefined) places.push([i, { buffer: -1, offset: start + offset }])
      }
      return places.length > 0 ? change(call, { places }) : call
    })
  return { ...step, calls }
}

/**
 * The calls with another place for a buffer that one of them writes and none reads.
 *
 * @returns Undefined where that is not so.
 */
export function writeElsewhere(calls: readonly RecordedCall[], from: Place, to: Place): RecordedCall[] | undefined {
  if (from.buffer < 0) return undefined
  const touching = calls.flatMap((call, index) =>
    [...call.places]
      .filter(([, { buffer }]) => buffer === from.buffer)
      .map(([argument, place]) => ({ index, argument, place })),
  )
  const [only] = touching
  if (!only || touching.length > 1 || !samePlace(only.place, from)) return undefined
  const writer = calls[only.index]!
  if (!writesOf(writer).some(([argument]) => argument === only.argument)) return undefined
  return calls.with(only.index, change(writer, { places: [[only.argument, to]] }))
}

/** Whether another call points into the range; a gradient that is added to must find there what was there before. */
function touchedElsewhere(calls: readonly RecordedCall[], index: number, start: number, bytes: number): boolean {
  return calls.some(
    (call, i) =>
      i !== index &&
      [...call.places.values()].some(({ buffer, offset }) => buffer < 0 && offset >= start && offset < start + bytes),
  )
}
