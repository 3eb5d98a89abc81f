/** Chains of elementwise kernels as one kernel on cuda: the bits are those of the kernels one by one. */

import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../src/backends/index.js'
import { planRecorded } from './plan-recorded.js'
import { randomChains } from './random-chains.js'
import { useStandIn } from './stand-in.js'

const isThere = useStandIn('chains')

const partNames = [
  ...['addInto', 'binary', 'binaryStrided', 'cast', 'classify', 'compare', 'copyRows', 'fill', 'logicalNot'],
  ...['philoxFill', 'select', 'stridedCopy', 'unary'],
]

describe.runIf(isThere)('joined calls on cuda', () => {
  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
  })

  it('give the bits of the kernels one by one, for random chains of any length', async () => {
    const planned = await planRecorded(() => randomChains(78))
    expect(planned.values).toEqual(planned.expected)
    const parts = planned.calls.flatMap((call) => call.parts ?? [])
    expect(planned.calls.length).toBeLessThan(100)
    const names = new Set(parts.map(({ name }) => name))
    expect([...names].sort()).toEqual(partNames)
    planned.dispose()
  })

  it('take up bias and activation of products and convolutions', async () => {
    const x = tf.randomNormal([6, 8], 0, 1, 'float32', 1) as tf.Tensor2D
    const kernel = tf.randomNormal([8, 12], 0, 1, 'float32', 2) as tf.Tensor2D
    const bias = tf.randomNormal([12], 0, 1, 'float32', 3)
    const image = tf.reshape(x, [1, 6, 8, 1]) as tf.Tensor4D
    const filter = tf.randomNormal([3, 3, 1, 4], 0, 1, 'float32', 4) as tf.Tensor4D
    const planned = await planRecorded(() => [
      tf.mul(tf.relu(tf.add(tf.matMul(x, kernel), bias)), 3),
      tf.fused.matMul({ a: x, b: kernel, bias, activation: 'sigmoid' }),
      tf.neg(tf.fused.matMul({ a: x, b: kernel, activation: 'relu6' })),
      tf.square(tf.add(tf.conv2d(image, filter, 1, 'same'), tf.slice(bias, 0, 4))),
    ])
    expect(planned.values).toEqual(planned.expected)
    const names = planned.calls.map(({ name, parts = [] }) => [name, ...parts.map((part) => part.name)].join(' '))
    const products = ['matMul', 'matMul', 'matMul', 'joined binary unary binary binary unary unary unary']
    expect(names).toEqual([...products, 'conv2d', 'copyRows', 'joined binary unary'])
    planned.dispose()
  })
})
