import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { expectGradient, noise } from './gradients/numeric-gradient.js'
import { numericGradients } from './numeric64.js'
import { nativeBackends } from './tested-backends.js'
import { worstError } from './wasm/kernels/arena.js'

const gates = {
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  hardSigmoid: (x: number) => Math.min(1, Math.max(0, 0.2 * x + 0.5)),
}
type GateName = keyof typeof gates

interface Sizes {
  rows: number
  steps: number
  features: number
  units: number
}

/** One row through an LSTM, as a plain loop; weights in the order of tfjs. */
function lstm([x, kernel, recurrent, bias]: Float64Array[], { steps, features, units }: Sizes, gateName: GateName) {
  const gate = gates[gateName]
  let h = new Float64Array(units)
  let c = new Float64Array(units)
  for (let t = 0; t < steps; t++) {
    const z = products(x!, t * features, h, [kernel!, recurrent!, bias!], [features, units, 4 * units])
    c = c.map((carry, u) => gate(z[units + u]!) * carry + gate(z[u]!) * Math.tanh(z[2 * units + u]!))
    h = c.map((carry, u) => gate(z[3 * units + u]!) * Math.tanh(carry))
  }
  return h
}

/** One row through a GRU whose reset comes before the product. */
function gru([x, kernel, recurrent, bias]: Float64Array[], { steps, features, units }: Sizes, gateName: GateName) {
  const gate = gates[gateName]
  let h = new Float64Array(units)
  for (let t = 0; t < steps; t++) {
    const z = products(x!, t * features, h, [kernel!, recurrent!, bias!], [features, units, 3 * units])
    const reset = h.map((value, u) => value * gate(z[units + u]!))
    const candidate = products(x!, t * features, reset, [kernel!, recurrent!, bias!], [features, units, 3 * units])
    h = h.map((value, u) => {
      const update = gate(z[u]!)
      return update * value + (1 - update) * Math.tanh(candidate[2 * units + u]!)
    })
  }
  return h
}

/** x kernel + h recurrent + bias. */
function products(
  x: Float64Array,
  start: number,
  h: Float64Array,
  [kernel, recurrent, bias]: [Float64Array, Float64Array, Float64Array],
  [features, units, columns]: [number, number, number],
): Float64Array {
  return bias.map((sum, column) => {
    for (let f = 0; f < features; f++) sum += x[start + f]! * kernel[f * columns + column]!
    for (let u = 0; u < units; u++) sum += h[u]! * recurrent[u * columns + column]!
    return sum
  })
}

const cases = {
  lstm: { parts: 4, reference: lstm, kernel: 'DcmlLstmCell' },
  gru: { parts: 3, reference: gru, kernel: 'DcmlGruGates' },
} as const

const sizes: Sizes[] = [
  { rows: 1, steps: 1, features: 1, units: 1 },
  { rows: 2, steps: 3, features: 5, units: 7 },
  { rows: 3, steps: 2, features: 4, units: 8 },
]

const kinds = nativeBackends().flatMap((backend) => (['lstm', 'gru'] as const).map((name) => ({ name, backend })))

describe.each(kinds)('$name on $backend', ({ name, backend }) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })
  const { parts, reference, kernel } = cases[name]

  describe.each(['sigmoid', 'hardSigmoid'] as const)('with %s', (recurrentActivation) => {
    it.each(sizes)('results and gradients in float64, %j', async (size) => {
      const { rows, steps, features, units } = size
      const layer = tfl.layers[name]({ units, recurrentActivation, recurrentInitializer: 'glorotUniform' })
      const x = noise([rows, steps, features], 5)
      layer.apply(x)
      layer.setWeights([
        tf.mul(noise([features, parts * units], 2), 0.7),
        tf.mul(noise([units, parts * units], 3), 0.7),
        noise([parts * units], 4),
      ])
      const kernels = (await tf.profile(() => layer.apply(x) as tf.Tensor)).kernelNames
      expect(kernels).toContain(kernel)
      expect(kernels).not.toContain('Tanh')

      const factors = noise([rows, units], 6).dataSync()
      const loss = ([inputs, ...weights]: Float64Array[]) => {
        let sum = 0
        for (let row = 0; row < rows; row++) {
          const own = inputs!.subarray(row * steps * features, (row + 1) * steps * features)
          reference([own, ...weights], size, recurrentActivation).forEach((value, u) => {
            sum += value * factors[row * units + u]!
          })
        }
        return sum
      }
      const arrays = [x, ...layer.getWeights()].map((tensor) => tensor.dataSync())
      const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
      const f = (input: tf.Tensor) =>
        tf.sum(tf.mul(layer.apply(input) as tf.Tensor, tf.tensor(factors, [rows, units]))) as tf.Scalar
      const { value, grads } = tf.variableGrads(() => f(x), variables)
      expect(worstError(value.dataSync(), [loss(arrays.map((values) => Float64Array.from(values)))])).toBeLessThan(2e-6)
      const expected = numericGradients(loss, arrays)
      const actual = [tf.grad(f)(x), ...variables.map((variable) => grads[variable.name]!)]
      actual.forEach((tensor, i) => {
        expect(worstError(tensor.dataSync(), expected[i]!)).toBeLessThan(3e-6)
      })
    })
  })

  it('gives all states where they are asked for', async () => {
    const layer = tfl.layers[name]({ units: 3, returnSequences: true, returnState: true, useBias: false })
    const x = noise([2, 4, 3], 8)
    const values = x.dataSync()
    const results = layer.apply(x) as tf.Tensor[]
    const native = results.map((tensor) => tensor.dataSync())
    const weights = layer.getWeights().map((tensor) => [tensor.dataSync(), tensor.shape] as const)
    await selectBackend({ prefer: ['cpu'] })
    const composed = tfl.layers[name]({ units: 3, returnSequences: true, returnState: true, useBias: false })
    const copy = tf.tensor(values, [2, 4, 3])
    composed.apply(copy)
    composed.setWeights(weights.map(([values, shape]) => tf.tensor(values, shape)))
    const others = composed.apply(copy) as tf.Tensor[]
    expect(native).toHaveLength(name === 'lstm' ? 3 : 2)
    others.forEach((tensor, i) => {
      expect(worstError(native[i]!, tensor.dataSync())).toBeLessThan(1e-6)
    })
    await selectBackend({ prefer: [backend] })
  })

  it('leaves dropout, other activations and gradients of gradients to tfjs', async () => {
    const x = noise([2, 2, 3], 9)
    for (const options of [{ activation: 'relu' as const }, { recurrentDropout: 0.5 }, { dropout: 0.5 }]) {
      const layer = tfl.layers[name]({ units: 2, recurrentInitializer: 'glorotUniform', ...options })
      expect((await tf.profile(() => layer.apply(x) as tf.Tensor)).kernelNames).not.toContain(kernel)
    }
    const layer = tfl.layers[name]({ units: 2, recurrentInitializer: 'glorotUniform', recurrentActivation: 'sigmoid' })
    layer.apply(x)
    const slope = (y: tf.Tensor) => tf.grad((z) => tf.sum(tf.square(layer.apply(z) as tf.Tensor)))(y)
    await expectGradient((z) => slope(z!), [x], { step: 3e-3, tolerance: 2e-2 })
  })
})
