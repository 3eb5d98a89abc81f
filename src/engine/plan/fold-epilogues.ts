/**
 * Folds the bias and the activation that follow a product or a convolution into its kernel.
 * @module
 */

import { activationCodes, binaryCodes, type Place, type RecordedCall, unaryCodes } from '../../backends/index.js'
import { change, numberOf, type Step, samePlace, usesOf, writesOf } from './calls.js'

/** Where a kernel takes bias and activation, and what its result looks like. */
interface Producer {
  out: number
  bias: number
  activation: number
  rows: number
  columns: number
}

/** Folds as often as there is something to fold. */
export function foldEpilogues(step: Step): Step {
  const calls: (RecordedCall | undefined)[] = [...step.calls]
  const { readers, writers } = usesOf(step.calls)
  const readersOf = (buffer: number) => (readers.get(buffer) ?? []).filter((i) => calls[i] !== undefined)
  const isFinal = (buffer: number) =>
    buffer >= 0 && !step.given.has(buffer) && !step.results.has(buffer) && writers.get(buffer)?.length === 1
  for (let index = 0; index < calls.length; index++) {
    let call = calls[index]
    const producer = call && producerOf(call)
    if (!call || !producer || !isNowhere(call.places.get(producer.bias)!)) continue
    const next = (buffer: number) => {
      const [only, ...others] = readersOf(buffer)
      return only !== undefined && others.length === 0 ? only : undefined
    }
    const out = () => call!.places.get(producer.out)!
    // Bias.
    const added = isFinal(out().buffer) ? next(out().buffer) : undefined
    const bias = added === undefined ? undefined : biasOf(calls[added]!, out(), producer)
    if (bias && numberOf(call, producer.activation) === 0 && isThere(calls, writers, bias.place, index)) {
      call = change(call, {
        places: [
          [producer.bias, bias.place],
          [producer.out, bias.out],
        ],
      })
      calls[index] = call
      calls[added!] = undefined
    }
    // Activation.
    if (numberOf(call, producer.activation) !== 0 || !isFinal(out().buffer)) continue
    const from = out()
    const all = readersOf(from.buffer)
    const found = all.find((i) => activationOf(calls[i]!, from, producer) !== undefined)
    if (found === undefined) continue
    const { code, out: target } = activationOf(calls[found]!, from, producer)!
    const others = all.filter((i) => i !== found)
    // The slope of relu is 1 where its input is above 0, which is where its output is.
    if (others.length > 0 && !(code === activationCodes.relu && others.every((i) => isStep(calls[i]!, from)))) continue
    calls[index] = change(call, { places: [[producer.out, target]], numbers: [[producer.activation, code]] })
    calls[found] = undefined
    for (const i of others) calls[i] = change(calls[i]!, { places: [[1, target]] })
    const later = readers.get(target.buffer) ?? []
    readers.set(
      target.buffer,
      [...later, ...others].sort((a, b) => a - b),
    )
    // What was read between product and activation is read later than it is written now: the order holds.
  }
  return { ...step, calls: calls.filter((call) => call !== undefined) }
}

/** A call that takes a bias and an activation, if its result has no gaps. */
export function producerOf(call: RecordedCall): Producer | undefined {
  if (call.name === 'matMul') {
    const [m, n, batch] = [numberOf(call, 5), numberOf(call, 6), numberOf(call, 13)]
    const isDense = numberOf(call, 12) === n && (batch === 1 || numberOf(call, 16) === m * n)
    return isDense ? { out: 2, bias: 3, activation: 4, rows: m * batch, columns: n } : undefined
  }
  if (call.name === 'conv2d' || call.name === 'depthwiseConv2d') {
    const info = call.info!
    return { out: 4, bias: 2, activation: 3, rows: info[0]! * info[4]! * info[5]!, columns: info[6]! }
  }
  return undefined
}

/** The pointer 0: no bias yet. */
const isNowhere = ({ buffer, offset }: Place): boolean => buffer < 0 && offset === 0

/** The row vector that a call adds to each row. */
function biasOf(call: RecordedCall, x: Place, { rows, columns }: Producer): { place: Place; out: Place } | undefined {
  if (call.name !== 'binary' || numberOf(call, 0) !== binaryCodes.add || numberOf(call, 1) !== 0) return undefined
  if (numberOf(call, 5) !== rows || numberOf(call, 6) !== columns) return undefined
  const [a, b, out] = [call.places.get(2)!, call.places.get(3)!, call.places.get(4)!]
  const [rowA, stepA, rowB, stepB] = [7, 8, 9, 10].map((i) => numberOf(call, i))
  if (stepA !== 1 || stepB !== 1) return undefined
  const single = rows === 1
  if (samePlace(a, x) && !samePlace(b, x) && (single || (rowA === columns && rowB === 0))) return { place: b, out }
  if (samePlace(b, x) && !samePlace(a, x) && (single || (rowB === columns && rowA === 0))) return { place: a, out }
  return undefined
}

const activations: ReadonlyMap<number, number> = new Map([
  [unaryCodes.relu, activationCodes.relu],
  [unaryCodes.relu6, activationCodes.relu6],
  [unaryCodes.sigmoid, activationCodes.sigmoid],
  [unaryCodes.tanh, activationCodes.tanh],
])

function activationOf(
  call: RecordedCall,
  x: Place,
  { rows, columns }: Producer,
): { code: number; out: Place } | undefined {
  if (call.name !== 'unary' || numberOf(call, 3) !== rows * columns) return undefined
  const code = activations.get(numberOf(call, 0))
  const [from, out] = [call.places.get(1)!, call.places.get(2)!]
  return code !== undefined && samePlace(from, x) && !samePlace(out, x) ? { code, out } : undefined
}

const isStep = (call: RecordedCall, x: Place): boolean =>
  call.name === 'unary' &&
  numberOf(call, 0) === unaryCodes.step &&
  numberOf(call, 4) === 0 &&
  samePlace(call.places.get(1)!, x)

/** Whether what lies at a place is complete before a call. */
function isThere(
  calls: readonly (RecordedCall | undefined)[],
  writers: ReadonlyMap<number, number[]>,
  place: Place,
  index: number,
): boolean {
  if (place.buffer >= 0) return (writers.get(place.buffer) ?? []).every((i) => i < index)
  // Parameters lie outside; a step that writes there and reads it again is left alone.
  return !calls.some((call) => call && writesOf(call).some(([, to]) => samePlace(to, place)))
}
