/**
 * What the passes of the planner ask of a call.
 * @module
 */

import { kindsOf, type Place, type ProgramCall, type ProgramCallName, type RecordedCall } from '../../backends/index.js'
import type { Bucket } from './divide-gradients.js'

/** A step while it is planned: its calls, in order, and what must be there at its end. */
export interface Step {
  calls: RecordedCall[]
  /** Bytes of each buffer, by number. */
  readonly sizes: readonly number[]
  /** Buffers whose content is there before the first call. */
  readonly given: ReadonlySet<number>
  /** Buffers that are read after the last call, or (those of buckets) in between. */
  readonly results: ReadonlySet<number>
  /** Buffers that lie where another lies, which is read for the last time when they are written. */
  readonly inPlace?: ReadonlyMap<number, number>
  /** Gradients that are handed over while it runs, in order. */
  readonly buckets?: readonly Bucket[]
}

/** Places that a call reads, each with the index of its argument. */
export const readsOf = (call: RecordedCall): [number, Place][] => placesOf(call, 'ru')

/** Places that a call writes. */
export const writesOf = (call: RecordedCall): [number, Place][] => placesOf(call, 'wu')

function placesOf({ name, places }: RecordedCall, kinds: string): [number, Place][] {
  const chosen = kindsOf(name)
  return [...places].filter(([i]) => kinds.includes(chosen[i]!))
}

/** A number among the arguments. */
export const numberOf = (call: RecordedCall, argument: number): number => call.numbers.get(argument)!

/** The call with other arguments. The parts of a joined call change their places with it. */
export function change(
  call: RecordedCall,
  { places = [], numbers = [] }: { places?: [number, Place][]; numbers?: [number, number][] },
): RecordedCall {
  const parts = call.parts?.map((part) => {
    const moved = places.flatMap(([argument, to]) =>
      [...part.places]
        .filter(([, place]) => samePlace(place, call.places.get(argument)!))
        .map(([i]): [number, Place] => [i, to]),
    )
    return change(part, { places: moved })
  })
  return {
    ...call,
    ...(parts && { parts }),
    places: places.length > 0 ? new Map([...call.places, ...places]) : call.places,
    numbers: numbers.length > 0 ? new Map([...call.numbers, ...numbers]) : call.numbers,
  }
}

/** A new call; `values` in the order of the arguments. */
export function makeCall<Name extends ProgramCallName>(name: Name, values: readonly (number | Place)[]): Call<Name> {
  const places = new Map<number, Place>()
  const numbers = new Map<number, number>()
  values.forEach((value, i) => {
    if (typeof value === 'number') numbers.set(i, value)
    else places.set(i, value)
  })
  return { name, places, numbers }
}

type Call<Name> = Omit<ProgramCall, 'name'> & { readonly name: Name }

/** For each buffer, the indices of the calls that read it and of those that write it. */
export interface Uses {
  readers: Map<number, number[]>
  writers: Map<number, number[]>
}

export function usesOf(calls: readonly RecordedCall[]): Uses {
  const readers = new Map<number, number[]>()
  const writers = new Map<number, number[]>()
  const note = (uses: Map<number, number[]>, buffer: number, index: number) => {
    if (buffer < 0) return
    const list = uses.get(buffer)
    if (!list) uses.set(buffer, [index])
    else if (list.at(-1) !== index) list.push(index)
  }
  calls.forEach((call, index) => {
    for (const [, { buffer }] of readsOf(call)) note(readers, buffer, index)
    for (const [, { buffer }] of writesOf(call)) note(writers, buffer, index)
  })
  return { readers, writers }
}

/** Whether two places are the same. */
export const samePlace = (a: Place, b: Place): boolean => a.buffer === b.buffer && a.offset === b.offset
