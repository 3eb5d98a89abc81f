/** Makes one kernel of the slope of relu and its product with the gradient. @module */

import { binaryCodes, type Place, type RecordedCall, unaryCodes } from '../../backends/index.js'
import { makeCall, numberOf, type Step, samePlace, usesOf } from './calls.js'

const { mul, reluGrad } = binaryCodes

/** Replaces `dy * step(y)` by one call wherever the step is used for nothing else. */
export function fuseReluGradients(step: Step): Step {
  const { readers, writers } = usesOf(step.calls)
  const calls: (RecordedCall | undefined)[] = [...step.calls]
  step.calls.forEach((call, index) => {
    const slope = slopeOf(call)
    if (!slope || step.results.has(slope.buffer)) return
    const [product, ...others] = readers.get(slope.buffer) ?? []
    if (product === undefined || others.length > 0 || writers.get(slope.buffer)!.length > 1) return
    const fused = productWith(step.calls[product]!, slope, call.places.get(1)!)
    if (!fused) return
    // The input of relu is read later than it was: it must still be there.
    const input = call.places.get(1)!
    if (input.buffer < 0 || writers.get(input.buffer)?.some((writer) => writer > index)) return
    calls[index] = undefined
    calls[product] = fused
  })
  return { ...step, calls: calls.filter((call) => call !== undefined) }
}

/** Where a call writes the slope of relu; 1 above zero, else 0. */
function slopeOf(call: RecordedCall): Place | undefined {
  const isSlope = call.name === 'unary' && numberOf(call, 0) === unaryCodes.step && numberOf(call, 4) === 0
  const place = call.places.get(2)
  return isSlope && place!.buffer >= 0 ? place : undefined
}

/** The product of two tensors of one shape, one of which is the slope, taken from the input of relu instead. */
function productWith(call: RecordedCall, slope: Place, input: Place): RecordedCall | undefined {
  if (call.name !== 'binary' || numberOf(call, 0) !== mul || numberOf(call, 1) !== 0) return undefined
  const [rows, length, , stepA, , stepB] = [5, 6, 7, 8, 9, 10].map((i) => numberOf(call, i))
  const [a, b, out] = [2, 3, 4].map((i) => call.places.get(i)!) as [Place, Place, Place]
  if (rows !== 1 || stepA !== 1 || stepB !== 1 || samePlace(a, b)) return undefined
  const dy = samePlace(b, slope) ? a : samePlace(a, slope) ? b : undefined
  return dy && makeCall('binary', [reluGrad, 0, dy, input, out, 1, length!, length!, 1, length!, 1])
}
