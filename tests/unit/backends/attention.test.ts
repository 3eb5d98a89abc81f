import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import { attention } from '../../../src/backends/index.js'
import { ConfigError, ShapeError } from '../../../src/core/index.js'
import { testAttention } from './attention.js'

testAttention('wasm')
testAttention('cpu')

it('refuses operands that do not fit, and a scale that is not above 0', () => {
  const x = tf.zeros([1, 4, 2, 3])
  expect(() => attention(x, tf.zeros([1, 4, 2, 5]), x)).toThrow(ShapeError)
  expect(() => attention(x, x, tf.zeros([1, 5, 2, 3]))).toThrow(/keys/)
  expect(() => attention(x, x, x, { scale: 0 })).toThrow(ConfigError)
})
