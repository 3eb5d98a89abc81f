/** Runs a few kinds of planned calls in JavaScript, joined ones as a kernel does: element by element. */

import {
  elementwiseOf,
  isFull,
  type Place,
  placeKey,
  type RecordedCall,
  writesOfJoined,
} from '../../../src/backends/index.js'

/** Elements by buffer; -1 is what lies outside the step. */
export type Memory = Map<number, Float64Array>

/** Where the memory outside begins: 0 is no address. */
export const OUTSIDE = 64

const startOf = ({ buffer, offset }: Place) => (offset - (buffer < 0 ? OUTSIDE : 0)) / 4

/** Runs negations, differences, sums, and what copies and fills. */
export function runCalls(calls: readonly RecordedCall[], memory: Memory): void {
  for (const call of calls) {
    const form = elementwiseOf(call.parts?.[0] ?? call)
    if (!form) sum(call, memory)
    else if (call.parts) for (let i = 0; i < form.n; i++) runElement(call, i, memory)
    else {
      // All operands before the first result.
      const values = Float64Array.from({ length: form.n }, (_, i) => elementOf(call, i, memory, new Map()))
      const place = call.places.get(form.out.argument)!
      memory.get(place.buffer)!.set(values, startOf(place))
    }
  }
}

/** One element through all parts; what is not listed stays in registers. */
function runElement(call: RecordedCall, i: number, memory: Memory): void {
  const registers = new Map<string, number>()
  for (const part of call.parts!) {
    const value = elementOf(part, i, memory, registers)
    registers.set(placeKey(part.places.get(elementwiseOf(part)!.out.argument)!), value)
  }
  for (const { place } of writesOfJoined(call))
    memory.get(place.buffer)![startOf(place) + i] = registers.get(placeKey(place))!
}

function elementOf(call: RecordedCall, i: number, memory: Memory, registers: ReadonlyMap<string, number>): number {
  const [a = 0, b = 0] = elementwiseOf(call)!.operands.map(({ argument, axes }) => {
    const place = call.places.get(argument)!
    const register = isFull(axes) ? registers.get(placeKey(place)) : undefined
    if (register !== undefined) return register
    let rest = i
    let index = startOf(place)
    for (const { length, stride } of [...axes].reverse()) {
      index += (rest % length) * stride
      rest = Math.floor(rest / length)
    }
    return memory.get(place.buffer)![index]!
  })
  switch (call.name) {
    case 'unary':
      return -a
    case 'binary':
      return a - b
    case 'addInto':
      return b + 0.5 * a
    case 'fill':
      return call.numbers.get(3)!
    case 'copyRows':
      return a
    default:
      throw new Error(`Not here: ${call.name}.`)
  }
}

function sum({ places, numbers }: RecordedCall, memory: Memory): void {
  const [from, to] = [places.get(1)!, places.get(2)!]
  const elements = memory.get(from.buffer)!.subarray(startOf(from), startOf(from) + numbers.get(4)!)
  memory.get(to.buffer)![startOf(to)] = elements.reduce((total, value) => total + value, 0)
}
