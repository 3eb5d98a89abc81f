/**
 * Calls that go element by element: which elements of its operands each element of a result is made of. And several of
 * them as one call, `joined`, which a backend with a compiler makes a kernel of.
 * @module
 */

import { sizeOf } from '../core/index.js'
import { dtypeCodes } from './wasm/exports.js'
import type { Place, RecordedCall } from './wasm/program/recorder.js'

/** What a joined call reads and writes at most. */
export const MAX_READS = 16
export const MAX_WRITES = 8

/** What its arguments are, for the table of calls: only those that it has are there, what is written from `MAX_READS` on. */
export const joinedArguments = 'r'.repeat(MAX_READS) + 'w'.repeat(MAX_WRITES)

/** An axis of a result, and how far an operand goes along it, in elements. */
export interface Axis {
  readonly length: number
  readonly stride: number
}

/** An operand of a result of n elements. */
interface Operand {
  readonly argument: number
  /** Bytes of an element. */
  readonly bytes: number
  /** The slowest first; neighbours along which it goes on evenly are one. A single axis of stride 1: it has n elements. */
  readonly axes: readonly Axis[]
}

/** A call as a function of elements. */
export interface ElementwiseForm {
  readonly n: number
  readonly operands: readonly Operand[]
  /** Where the n elements of the result go, side by side; it may be an operand as well. */
  readonly out: { readonly argument: number; readonly bytes: number }
}

/** A place that a joined call reads. */
export interface JoinedRead {
  readonly place: Place
  readonly axes: readonly Axis[]
  readonly bytes: number
}

/** The form of a call, or undefined if it has none: it does not go by elements, or writes with gaps, or writes nothing. */
export function elementwiseOf(call: RecordedCall): ElementwiseForm | undefined {
  const rule = rules[call.name as keyof typeof rules]
  const form = rule?.(call)
  if (!form || form.n === 0) return undefined
  const isAligned = ({ argument, bytes }: { argument: number; bytes: number }) =>
    call.places.get(argument)!.offset % bytes === 0
  return isAligned(form.out) && form.operands.every(isAligned) ? form : undefined
}

/** Whether an operand has an element of its own for each of the result. */
export const isFull = (axes: readonly Axis[]): boolean => axes.length === 1 && axes[0]!.stride === 1

/** Distinct elements of an operand. */
export const sizeOfOperand = (axes: readonly Axis[]): number =>
  axes.reduce((size, { length, stride }) => (stride === 0 ? size : size * length), 1)

/** What calls that run one after another read that none of them wrote before, each once. */
export function readsOfJoined(parts: readonly RecordedCall[]): JoinedRead[] {
  const reads = new Map<string, JoinedRead>()
  const written = new Set<string>()
  for (const part of parts) {
    const { operands, out } = elementwiseOf(part)!
    for (const { argument, axes, bytes } of operands) {
      const place = part.places.get(argument)!
      const key = readKey(place, axes)
      if (!(isFull(axes) && written.has(placeKey(place))) && !reads.has(key)) reads.set(key, { place, axes, bytes })
    }
    written.add(placeKey(part.places.get(out.argument)!))
  }
  return [...reads.values()]
}

/** What a joined call writes, and the bytes of an element of it. */
export function writesOfJoined({ parts = [], places }: RecordedCall): { place: Place; bytes: number }[] {
  const bytes = new Map<string, number>()
  for (const part of parts) {
    const { out } = elementwiseOf(part)!
    bytes.set(placeKey(part.places.get(out.argument)!), out.bytes)
  }
  return [...places]
    .filter(([argument]) => argument >= MAX_READS)
    .map(([, place]) => ({ place, bytes: bytes.get(placeKey(place))! }))
}

/** A place as the key of a map. */
export const placeKey = ({ buffer, offset }: Place): string => `${buffer} ${offset}`

/** A place and how it is read, likewise. */
export const readKey = (place: Place, axes: readonly Axis[]): string =>
  [placeKey(place), ...axes.map(({ length, stride }) => `${length}*${stride}`)].join(' ')

const number = (call: RecordedCall, argument: number): number => call.numbers.get(argument)!
const numbers = (call: RecordedCall, ...these: number[]): number[] => these.map((argument) => number(call, argument))

const bytesOf = (dtype: number): number => (dtype === dtypeCodes.bool ? 1 : 4)
const whole = (argument: number, n: number, bytes = 4): Operand => ({
  argument,
  bytes,
  axes: [{ length: n, stride: 1 }],
})

/** By name; arguments are numbered as in `KernelExports`. */
const rules = {
  unary: (call: RecordedCall) => simple(number(call, 3), whole(1, number(call, 3)), 2),
  classify: (call: RecordedCall) => simple(number(call, 3), whole(1, number(call, 3)), 2, 1),
  logicalNot: (call: RecordedCall) => simple(number(call, 2), whole(0, number(call, 2), 1), 1, 1),
  cast(call: RecordedCall) {
    const [from, to, n] = numbers(call, 0, 1, 4) as [number, number, number]
    return simple(n, whole(2, n, bytesOf(from)), 3, bytesOf(to))
  },
  fill: (call: RecordedCall): ElementwiseForm => ({
    n: number(call, 2),
    operands: [],
    out: { argument: 1, bytes: bytesOf(number(call, 0)) },
  }),
  philoxFill: (call: RecordedCall): ElementwiseForm => ({
    n: number(call, 1) * number(call, 2),
    operands: [],
    out: { argument: 0, bytes: 4 },
  }),
  addInto(call: RecordedCall): ElementwiseForm {
    const n = number(call, 2)
    return { n, operands: [whole(0, n), whole(1, n)], out: { argument: 1, bytes: 4 } }
  },
  select(call: RecordedCall): ElementwiseForm {
    const [chosen, inner, bytes] = numbers(call, 4, 5, 6) as [number, number, number]
    const n = chosen * inner
    const condition = { argument: 0, bytes: 1, axes: mergeAxes([chosen, inner], [1, 0]) }
    return { n, operands: [condition, whole(1, n, bytes), whole(2, n, bytes)], out: { argument: 3, bytes } }
  },
  binary: (call: RecordedCall) => broadcast(call, 4),
  compare: (call: RecordedCall) => broadcast(call, 1),
  binaryStrided: (call: RecordedCall) => strided(call, 4),
  compareStrided: (call: RecordedCall) => strided(call, 1),
  copyRows(call: RecordedCall): ElementwiseForm | undefined {
    const [rows, rowBytes, pitch, outPitch] = numbers(call, 2, 3, 4, 5) as [number, number, number, number]
    const isDense = rows === 1 || outPitch === rowBytes
    if (!isDense || rowBytes % 4 !== 0 || (rows > 1 && pitch % 4 !== 0)) return undefined
    const axes = mergeAxes([rows, rowBytes / 4], [pitch / 4, 1])
    return simple((rows * rowBytes) / 4, { argument: 0, bytes: 4, axes }, 1)
  },
  stridedCopy(call: RecordedCall): ElementwiseForm | undefined {
    const bytes = number(call, 2)
    const [shape, strides] = infoOf(call) as [number[], number[]]
    const axes = mergeAxes(shape, strides)
    // A transpose proper is better off with a kernel that knows it.
    if ((bytes !== 1 && bytes !== 4) || Math.abs(axes.at(-1)!.stride) > 1) return undefined
    return simple(sizeOf(shape), { argument: 0, bytes, axes }, 1, bytes)
  },
} as const

const simple = (n: number, operand: Operand, argument: number, bytes = 4): ElementwiseForm => ({
  n,
  operands: [operand],
  out: { argument, bytes },
})

function broadcast(call: RecordedCall, outBytes: number): ElementwiseForm {
  const [dtype, rows, inner, rowA, stepA, rowB, stepB] = numbers(call, 1, 5, 6, 7, 8, 9, 10) as Seven
  const bytes = bytesOf(dtype)
  const operands = [
    { argument: 2, bytes, axes: mergeAxes([rows, inner], [rowA, stepA]) },
    { argument: 3, bytes, axes: mergeAxes([rows, inner], [rowB, stepB]) },
  ]
  return { n: rows * inner, operands, out: { argument: 4, bytes: outBytes } }
}

function strided(call: RecordedCall, outBytes: number): ElementwiseForm {
  const bytes = bytesOf(number(call, 1))
  const [shape, stridesA, stridesB] = infoOf(call) as [number[], number[], number[]]
  const operands = [
    { argument: 2, bytes, axes: mergeAxes(shape, stridesA) },
    { argument: 3, bytes, axes: mergeAxes(shape, stridesB) },
  ]
  return { n: sizeOf(shape), operands, out: { argument: 4, bytes: outBytes } }
}

/** Axes without those of one element, and with neighbours joined along which the operand goes on evenly; one at least. */
function mergeAxes(lengths: readonly number[], strides: readonly number[]): Axis[] {
  const axes: Axis[] = []
  lengths.forEach((length, i) => {
    const stride = strides[i]!
    const last = axes.at(-1)
    if (length === 1) return
    if (last && last.stride === stride * length) axes[axes.length - 1] = { length: last.length * length, stride }
    else axes.push({ length, stride })
  })
  // A single element lies where it lies, whatever the stride.
  return axes.length > 0 ? axes : [{ length: 1, stride: 1 }]
}

type Seven = [number, number, number, number, number, number, number]

/** What `info` points to, six axes at a time. */
function infoOf({ info }: RecordedCall): number[][] {
  const values = [...info!]
  return [values.slice(0, 6), values.slice(6, 12), values.slice(12)]
}
