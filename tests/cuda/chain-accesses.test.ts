/** Where chains take four elements at once, each access looked at: a GPU stops at an address that is no multiple of them. */

import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../src/backends/index.js'
import { planRecorded } from './plan-recorded.js'
import { useStandIn } from './stand-in.js'

const isThere = useStandIn('accesses of chains', true)

describe.runIf(isThere)('joined calls on cuda', () => {
  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
  })

  it('go one by one where addresses are none for four', async () => {
    const line = tf.randomNormal([65], 0, 1, 'float32', 1) as tf.Tensor1D
    const square = tf.randomNormal([9, 9], 0, 1, 'float32', 2) as tf.Tensor2D
    const planned = await planRecorded(() => [
      // Read from the second element on; rows with a gap, most of which begin elsewhere; written behind three others.
      tf.neg(tf.slice(line, 1, 64)),
      tf.neg(tf.slice(square, [1, 0], [6, 8])),
      tf.concat([tf.tensor1d([1, 2, 3]), tf.abs(tf.slice(line, 0, 32))]),
    ])
    expect(planned.values).toEqual(planned.expected)
    const chains = planned.calls.map(({ parts = [] }) => parts.map(({ name }) => name).join(' '))
    expect(chains).toEqual(['copyRows unary', 'stridedCopy unary', '', 'copyRows unary copyRows'])
    planned.dispose()
  })
})
