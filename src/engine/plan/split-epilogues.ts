/** Takes bias and activation out of products and convolutions again, for chains to take them up. @module */

import { activationCodes, binaryCodes, type Place, type RecordedCall, unaryCodes } from '../../backends/index.js'
import { change, makeCall, numberOf, type Step } from './calls.js'
import { producerOf } from './fold-epilogues.js'

/**
 * Makes calls of their own of what `foldEpilogues` folded, where it is a kernel of its own in any case: joined with what
 * follows, such as dropout and the sum with a residual, it saves that kernel. That it was folded before is still of use:
 * the slope of relu reads its output.
 */
export function splitEpilogues(step: Step): Step {
  const sizes = [...step.sizes]
  const calls = step.calls.flatMap((call): RecordedCall[] => {
    const producer = producerOf(call)
    if (!producer) return [call]
    const { rows, columns, out } = producer
    const bias = call.places.get(producer.bias)!
    const unary = unaryOf.get(numberOf(call, producer.activation))
    const hasBias = bias.buffer >= 0 || bias.offset !== 0
    if (!hasBias && unary === undefined) return [call]
    const fresh = (): Place => ({ buffer: sizes.push(rows * columns * 4) - 1, offset: 0 })
    const target = call.places.get(out)!
    const product = fresh()
    const split = [
      change(call, {
        places: [
          [out, product],
          [producer.bias, { buffer: -1, offset: 0 }],
        ],
        numbers: [[producer.activation, activationCodes.linear]],
      }),
    ]
    const sum = unary === undefined ? target : hasBias ? fresh() : product
    if (hasBias)
      split.push(makeCall('binary', [binaryCodes.add, 0, product, bias, sum, rows, columns, columns, 1, 0, 1]))
    if (unary !== undefined) split.push(makeCall('unary', [unary, sum, target, rows * columns, 0, 0]))
    return split
  })
  return { ...step, calls, sizes }
}

/** Functions by the code of the activation. */
const unaryOf: ReadonlyMap<number, number> = new Map([
  [activationCodes.relu, unaryCodes.relu],
  [activationCodes.relu6, unaryCodes.relu6],
  [activationCodes.sigmoid, unaryCodes.sigmoid],
  [activationCodes.tanh, unaryCodes.tanh],
])
