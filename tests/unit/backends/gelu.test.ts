import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { gelu, selectBackend } from '../../../src/backends/index.js'
import { expectGradient, noise } from './gradients/numeric-gradient.js'
import { testedBackends } from './tested-backends.js'
import { worstError } from './wasm/kernels/arena.js'

// From PyTorch 1.13, torch.nn.functional.gelu in float64: exact, then with approximate='tanh'.
const at = [-3, -1, -0.25, 0, 0.5, 2]
const known = {
  exact: [-0.00404969, -0.15865525, -0.10032342, 0, 0.34573123, 1.95449974],
  tanh: [-0.00363739, -0.15880801, -0.10032465, 0, 0.34571401, 1.95459769],
}

describe.each(testedBackends())('gelu on %s', (name) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [name] })
  })

  it.each(['exact', 'tanh'] as const)('%s: values, slopes, and slopes of slopes', async (form) => {
    const options = { approximate: form === 'tanh' }
    const isNative = (await tf.profile(() => gelu(tf.tensor(at), options))).kernelNames.includes('DcmlGelu')
    expect(isNative).toBe(name !== 'cpu')
    expect(worstError(gelu(tf.tensor(at), options).dataSync(), known[form])).toBeLessThan(2e-7)
    await expectGradient((x) => gelu(x!, options), [noise([3, 5])])
    await expectGradient((x) => tf.grad((y) => gelu(y, options))(x!), [noise([7], 2)])
  })

  it.each([
    ['gelu', 'exact'],
    ['gelu_new', 'tanh'],
  ] as const)('is the activation %s', (activation, form) => {
    const layer = tfl.layers.activation({ activation })
    expect(worstError((layer.apply(tf.tensor(at)) as tf.Tensor).dataSync(), known[form])).toBeLessThan(2e-7)
  })

  it.each(['gelu', 'gelu_new'] as const)('is read again with a model, as %s', async (activation) => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, activation, inputShape: [3] })] })
    const read = await tfl.models.modelFromJSON(JSON.parse(model.toJSON(undefined) as string))
    read.setWeights(model.getWeights())
    const x = noise([4, 3])
    expect((read.predict(x) as tf.Tensor).dataSync()).toEqual((model.predict(x) as tf.Tensor).dataSync())
  })
})
