import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend, softmaxCrossEntropy } from '../../../../src/backends/index.js'
import { testedBackends } from '../tested-backends.js'
import { worstError } from '../wasm/kernels/arena.js'
import { expectGradient, noise } from './numeric-gradient.js'

describe.each(testedBackends())('gradients on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  it.each([
    [
      'ij,jk->ik',
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      'ij,jk->ki',
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      'bij,bkj->bik',
      [
        [2, 3, 4],
        [2, 5, 4],
      ],
    ],
    [
      'bqhd,bkhd->bhqk',
      [
        [2, 3, 2, 4],
        [2, 3, 2, 4],
      ],
    ],
    ...(backend !== 'cpu'
      ? // Labels that are summed in one operand alone: tfjs-cpu does not compute these at all.
        ([
          [
            'ij,kl->ik',
            [
              [2, 3],
              [4, 2],
            ],
          ],
          [
            'ij,jk->k',
            [
              [2, 3],
              [3, 4],
            ],
          ],
          [
            'ij,jk->jk',
            [
              [2, 3],
              [3, 4],
            ],
          ],
        ] as const)
      : []),
    ['ij->j', [[2, 3]]],
    ['ijk->ki', [[2, 3, 2]]],
    ['i,i->', [[4], [4]]],
  ] as const)('einsum %s', async (equation, shapes) => {
    await expectGradient(
      (...x) => tf.einsum(equation, ...x),
      shapes.map((shape, i) => noise([...shape], i + 1)),
    )
  })

  it.each([
    ['plain', [1, 0], [3, 4], [1, 2], 0, 0, 0, 0, 0],
    ['negative stride', [3, -1], [0, -6], [-1, -2], 0, 0, 0, 0, 0],
    ['masks', [2, 3], [0, 0], [1, 1], 2, 3, 0, 0, 0],
    ['dropped axis', [2, 1], [3, 5], [1, 1], 0, 0, 0, 0, 1],
    ['new axis', [0, 1, 0], [0, 3, 5], [1, 1, 2], 0, 0, 0, 1, 0],
    ['ellipsis', [0, 1], [0, 4], [1, 2], 0, 0, 1, 0, 0],
  ] as const)(
    'stridedSlice, %s',
    async (_name, begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask) => {
      const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask]
      await expectGradient((x) => tf.stridedSlice(x, [...begin], [...end], [...strides], ...masks), [noise([4, 5])])
    },
  )

  it('gatherND, an index that occurs twice', async () => {
    const indices = tf.tensor2d(
      [
        [0, 1],
        [2, 0],
        [0, 1],
      ],
      [3, 2],
      'int32',
    )
    await expectGradient((x) => tf.gatherND(x, indices), [noise([3, 2, 2])])
  })

  it('scatterND', async () => {
    const indices = tf.tensor2d([[1], [3], [1]], [3, 1], 'int32')
    await expectGradient((updates) => tf.scatterND(indices, updates, [4, 2]), [noise([3, 2])])
  })

  it('gather, along each axis', async () => {
    const indices = tf.tensor1d([2, 0, 2], 'int32')
    for (const axis of [0, 1, 2]) await expectGradient((x) => tf.gather(x, indices, axis), [noise([3, 4, 3])])
  })

  it('topk', async () => {
    await expectGradient((x) => tf.topk(x, 2).values, [noise([3, 5])])
  })

  it('comparisons inside where', async () => {
    const y = noise([3, 4], 5)
    for (const compare of [tf.greater, tf.greaterEqual, tf.less, tf.lessEqual])
      await expectGradient((x) => tf.where(compare(x, y), tf.mul(x, 3), tf.square(x)), [noise([3, 4])], {
        step: 1e-3,
        tolerance: 1e-2,
      })
    await expectGradient(
      (x) => tf.where(tf.logicalAnd(tf.greater(x, -1), tf.logicalNot(tf.greater(x, 1))), tf.square(x), tf.mul(x, 2)),
      [noise([3, 4])],
      { step: 1e-3, tolerance: 1e-2 },
    )
    await expectGradient((x) => tf.where(tf.logicalOr(tf.equal(x, y), tf.notEqual(x, y)), x, y), [noise([3, 4])])
  })

  it.each([0, 1, 2])('cumsum along axis %i of three', async (axis) => {
    for (const exclusive of [false, true])
      for (const reverse of [false, true])
        await expectGradient((x) => tf.cumsum(x, axis, exclusive, reverse), [noise([2, 3, 4])])
  })

  it('tile', async () => {
    for (const reps of [
      [1, 1],
      [2, 3],
      [4, 1],
    ])
      for (const shape of [
        [3, 1],
        [1, 4],
        [2, 3],
      ])
        await expectGradient((x) => tf.tile(x, reps), [noise(shape)])
    await expectGradient((x) => tf.tile(x, [2, 1, 2, 1, 2]), [noise([2, 1, 2, 2, 1])])
  })

  it('cumprod', async () => {
    const x = tf.add(tf.abs(noise([2, 4])), 0.5)
    for (const exclusive of [false, true])
      for (const reverse of [false, true])
        await expectGradient((t) => tf.cumprod(t, 1, exclusive, reverse), [x], { step: 1e-3, tolerance: 5e-3 })
  })

  it.each(['same', 'valid'] as const)('dilated conv2d, padding %s', async (pad) => {
    const inputs = [noise([1, 7, 6, 2], 1), noise([3, 2, 2, 3], 2)]
    for (const dilation of [1, 2, [2, 3]] as (number | [number, number])[])
      await expectGradient(
        (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, pad, 'NHWC', dilation),
        inputs,
      )
    await expectGradient((x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, [2, 1], pad), inputs)
  })

  it.each(['same', 'valid'] as const)('dilated depthwise conv2d, padding %s', async (pad) => {
    const inputs = [noise([1, 7, 6, 2], 1), noise([3, 2, 2, 2], 2)]
    for (const dilation of [1, 2, [2, 3]] as (number | [number, number])[])
      await expectGradient(
        (x, filter) => tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, pad, 'NHWC', dilation),
        inputs,
      )
    await expectGradient((x, filter) => tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, pad), inputs)
  })

  it.skipIf(backend === 'cpu')(
    'pooling with padding (the gradient of tfjs-cpu divides by the whole window)',
    async () => {
      const x = noise([2, 5, 6, 3])
      for (const pad of ['same', 'valid', 1] as const)
        for (const stride of [1, 2]) {
          // A whole pixel count is asked of a padded pool.
          if (pad === 1 && stride === 2) continue
          await expectGradient((t) => tf.avgPool(t as tf.Tensor4D, 3, stride, pad), [x])
          await expectGradient((t) => tf.maxPool(t as tf.Tensor4D, 3, stride, pad), [x], {
            step: 1e-3,
            tolerance: 1e-2,
          })
        }
    },
  )

  it.skipIf(backend === 'cpu')('pooling in three dimensions, and its values', async () => {
    const x = noise([2, 4, 5, 3, 2])
    const windows = [
      [3, 2, 'same'],
      [[2, 3, 1], 1, 'valid'],
      [[1, 2, 3], [2, 1, 2], 'same'],
    ] as const
    for (const [size, strides, pad] of windows) {
      const options = [size as number, strides as number, pad] as const
      const pools = [
        (t: tf.Tensor) => tf.maxPool3d(t as tf.Tensor5D, ...options),
        (t: tf.Tensor) => tf.avgPool3d(t as tf.Tensor5D, ...options),
      ]
      const own = pools.map((pool) => pool(x).dataSync())
      for (const pool of pools) await expectGradient((t) => pool(t!), [x], { step: 1e-3, tolerance: 1e-2 })
      await selectBackend({ prefer: ['cpu'] })
      const copy = tf.tensor(x.dataSync(), x.shape)
      pools.forEach((pool, i) => {
        expect(worstError(own[i]!, pool(copy).dataSync())).toBeLessThan(1e-6)
      })
      await selectBackend({ prefer: [backend] })
    }
  })

  it.skipIf(backend === 'cpu')('nearest-neighbour resizing (tfjs-cpu is wrong from the second image on)', async () => {
    await expectGradient((x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [6, 9]), [noise([2, 3, 3, 2])])
  })

  it('normalization, per channel and per row', async () => {
    const x = noise([3, 2, 2, 4])
    const [offset, scale] = [noise([4], 2), noise([4], 3)]
    const perChannel = tf.moments(x, [0, 1, 2])
    const perRow = tf.moments(x, [1, 2, 3], true)
    const full = (t: tf.Tensor) => tf.tile(t, [1, 2, 2, 4])
    await expectGradient(
      (t, o, s) =>
        tf.batchNorm(
          t,
          perChannel.mean as tf.Tensor1D,
          perChannel.variance as tf.Tensor1D,
          o as tf.Tensor1D,
          s as tf.Tensor1D,
          1e-3,
        ),
      [x, offset, scale],
    )
    const normalized = tf.batchNorm(x, full(perRow.mean), full(perRow.variance), undefined, undefined, 1e-3)
    const expected = tf.div(tf.sub(x, perRow.mean), tf.sqrt(tf.add(perRow.variance, 1e-3)))
    expect(Math.max(...(await tf.abs(tf.sub(normalized, expected)).data()))).toBeLessThan(1e-5)
  })

  it('conv3d', async () => {
    const inputs = [noise([2, 4, 5, 3, 2], 1), noise([2, 3, 2, 2, 3], 2)]
    for (const pad of ['same', 'valid'] as const)
      for (const strides of [1, [2, 1, 2]] as (number | [number, number, number])[])
        await expectGradient((x, filter) => tf.conv3d(x as tf.Tensor5D, filter as tf.Tensor5D, strides, pad), inputs, {
          tolerance: 5e-3,
        })
  })

  it('depthToSpace', async () => {
    await expectGradient((x) => tf.depthToSpace(x as tf.Tensor4D, 2), [noise([1, 2, 3, 8])])
  })

  it('unstack, also of one part', async () => {
    await expectGradient((x) => tf.sum(tf.stack(tf.unstack(x!, 1)), 0), [noise([2, 1, 3])])
    await expectGradient((x) => tf.stack(tf.unstack(x!, 1)), [noise([2, 3])])
  })

  it('gradients of gradients of what is made of its result', async () => {
    const twice = (f: (x: tf.Tensor) => tf.Tensor) =>
      expectGradient((x) => tf.grad((y) => tf.mul(f(y), noise(y.shape, 3)))(x!), [noise([2, 3])])
    for (const f of [tf.exp, tf.sigmoid, tf.tanh, tf.softmax]) await twice(f)
    // Where a way that does not go through the result leads to the input too, tfjs says nothing.
    await twice((x) => tf.mul(x, tf.sigmoid(x)))
  })

  it('cross-entropy, and its gradient', async () => {
    const truth = tf.tensor2d([0.2, 0.3, 0.5, 1, 0, 0], [2, 3])
    const classes = tf.tensor1d([2, 0], 'int32')
    for (const target of [truth, classes]) {
      await expectGradient((x) => softmaxCrossEntropy(target, x!), [noise([2, 3])])
      await expectGradient((x) => tf.grad((y) => softmaxCrossEntropy(target, y))(x!), [noise([2, 3])])
    }
  })
})
