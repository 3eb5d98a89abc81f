import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  attention,
  type CallName,
  recordCalls,
  selectBackend,
  softmaxCrossEntropy,
} from '../../../src/backends/index.js'
import { type CallCost, costOf } from '../../../src/engine/call-cost.js'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

/** Costs of the calls that some operations make, or of those of one kernel. */
function costs(run: () => void, only?: CallName): CallCost[] {
  const { recording } = recordCalls(() => tf.tidy(run))
  return recording.calls.filter(({ name }) => only === undefined || name === only).map(costOf)
}

/** Multiplications and additions of a convolution, counted one by one. */
function countOperations({ batch, out, filter, inChannels, outChannels }: Record<string, number> & { batch: number }) {
  let operations = 0
  for (let image = 0; image < batch; image++)
    for (let pixel = 0; pixel < out! * out!; pixel++)
      for (let channel = 0; channel < outChannels!; channel++)
        for (let tap = 0; tap < filter! * filter! * inChannels!; tap++) operations += 2
  return operations
}

const gradient = (kernel: string, inputs: tf.NamedTensorMap, attributes: object) =>
  tf.engine().runKernel(kernel, inputs, attributes as never)

describe('costOf', () => {
  it('counts a multiplication and an addition for each pair of factors of a product', () => {
    const a = tf.ones([4, 6]) as tf.Tensor2D
    const b = tf.ones([6, 5]) as tf.Tensor2D
    expect(costs(() => tf.matMul(a, b))).toEqual([
      { kernel: 'matMul', shape: '4x5x6', flops: 2 * 4 * 5 * 6, bytes: 4 * (24 + 30 + 20) },
    ])
    expect(costs(() => tf.matMul(b, a, true, true))).toEqual([
      { kernel: 'matMul', shape: '5x4x6 aT bT', flops: 2 * 4 * 5 * 6, bytes: 4 * (24 + 30 + 20) },
    ])
    const [batched] = costs(() => tf.matMul(tf.ones([3, 4, 6]), tf.ones([3, 6, 5])), 'matMul')
    expect(batched).toEqual({ kernel: 'matMul', shape: '4x5x6 of 3', flops: 3 * 240, bytes: 3 * 4 * 74 })
  })

  it('counts convolutions in each direction as often as output and patch ask for', () => {
    const x = tf.ones([2, 9, 9, 3]) as tf.Tensor4D
    const filter = tf.ones([3, 3, 3, 4]) as tf.Tensor4D
    const dy = tf.ones([2, 7, 7, 4]) as tf.Tensor4D
    const flops = countOperations({ batch: 2, out: 7, filter: 3, inChannels: 3, outChannels: 4 })
    const bytes = 4 * (x.size + filter.size + dy.size)
    const shape = '3x3 3->4 on 2x9x9'
    const about = { strides: 1, pad: 'valid', dataFormat: 'NHWC', dimRoundingMode: undefined }
    const kernels = () => {
      tf.conv2d(x, filter, 1, 'valid')
      gradient(tf.Conv2DBackpropFilter, { x, dy }, { ...about, filterShape: filter.shape })
      gradient(tf.Conv2DBackpropInput, { dy, filter }, { ...about, inputShape: x.shape })
    }
    expect(costs(kernels)).toEqual([
      { kernel: 'conv2d', shape, flops, bytes },
      { kernel: 'conv2dFilterGrad', shape, flops, bytes },
      { kernel: 'conv2dInputGrad', shape, flops, bytes },
    ])
    expect(costs(() => tf.conv2d(x, filter, 2, 'valid'))[0]).toMatchObject({
      shape: '3x3 3->4 on 2x9x9 stride 2',
      flops: countOperations({ batch: 2, out: 4, filter: 3, inChannels: 3, outChannels: 4 }),
    })
  })

  it('counts one channel for each tap of a depthwise convolution', () => {
    const x = tf.ones([2, 9, 9, 3]) as tf.Tensor4D
    const filter = tf.ones([3, 3, 3, 2]) as tf.Tensor4D
    expect(costs(() => tf.depthwiseConv2d(x, filter, 1, 'valid'))).toEqual([
      {
        kernel: 'depthwiseConv2d',
        shape: '3x3 3->6 on 2x9x9',
        flops: countOperations({ batch: 2, out: 7, filter: 3, inChannels: 1, outChannels: 6 }),
        bytes: 4 * (x.size + filter.size + 2 * 7 * 7 * 6),
      },
    ])
  })

  it('names what is folded into a product', () => {
    const dense = () =>
      tf.fused.matMul({
        a: tf.ones([4, 6]),
        b: tf.ones([6, 5]),
        bias: tf.ones([5]),
        activation: 'relu',
      })
    expect(costs(dense, 'matMul')[0]?.shape).toBe('4x5x6 +bias +relu')
  })

  it('counts operands and result of every other kernel once', () => {
    const matrix = tf.ones([8, 10])
    const row = tf.ones([10])
    const integers = tf.zeros([8], 'int32') as tf.Tensor1D
    const cost = (run: () => void, only?: CallName) => costs(run, only).at(-1)
    const kernel = (name: string, shape: string, bytes: number) => ({ kernel: name, shape, flops: 0, bytes })
    expect(cost(() => tf.exp(matrix))).toEqual(kernel('exp', '80', 4 * 160))
    expect(cost(() => tf.add(matrix, row))).toEqual(kernel('add', '8x10', 4 * (80 + 10 + 80)))
    expect(cost(() => tf.mul(matrix, matrix))).toEqual(kernel('mul', '80', 4 * 240))
    expect(cost(() => tf.greater(matrix, row))).toEqual(kernel('greater', '8x10', 4 * 90 + 80))
    expect(cost(() => tf.cast(tf.greater(matrix, row), 'float32'))).toEqual(kernel('cast', '80', 80 + 320))
    expect(cost(() => tf.sum(matrix, 1))).toEqual(kernel('sum', '8x10', 4 * (80 + 8)))
    expect(cost(() => tf.max(matrix, 0))).toEqual(kernel('max', '8x10 columns', 4 * (80 + 10)))
    expect(cost(() => tf.argMax(matrix, 1))).toEqual(kernel('argMax', '8x10', 4 * (80 + 8)))
    expect(cost(() => tf.softmax(matrix as tf.Tensor2D))).toEqual(kernel('softmax', '8x10', 4 * 160))
    expect(cost(() => tf.cumsum(matrix, 1))).toEqual(kernel('cumsum', '8x10x1', 4 * 160))
    expect(cost(() => tf.oneHot(integers, 10), 'oneHot')).toEqual(kernel('oneHot', '8x10', 4 * (8 + 80)))
    expect(cost(() => tf.gather(matrix, integers))).toEqual(kernel('gather', '1x8 of 8x40 bytes', 4 * (8 + 160)))
    expect(cost(() => tf.unsortedSegmentSum(matrix, integers, 3))).toEqual(
      kernel('segmentSum', '8 to 3x10', 4 * (8 + 80 + 30)),
    )
    expect(cost(() => tf.pad(matrix, [[1, 2], [0, 0]]))).toEqual(kernel('pad', '11x10', 4 * (80 + 110))) // biome-ignore format: one line
    expect(cost(() => tf.where(tf.greater(matrix, 0), matrix, matrix))).toEqual(kernel('select', '80x1', 80 + 960))
    expect(cost(() => tf.fill([8, 10], 3))).toEqual(kernel('fill', '80', 320))
    expect(cost(() => tf.slice(matrix, [0, 2], [8, 5]))).toEqual(kernel('copyRows', '8x20 bytes', 320))
  })

  it('counts what fused losses and layers read and write', () => {
    const logits = tf.ones([8, 10])
    const truth = tf.zeros([8], 'int32')
    const kernel = (name: string, bytes: number) => ({ kernel: name, shape: '8x10', flops: 0, bytes })
    const loss = (target: tf.Tensor) => () => tf.grad((x) => softmaxCrossEntropy(target, x))(logits)
    expect(costs(loss(truth), 'crossEntropy')).toEqual([kernel('crossEntropy', 4 * (80 + 8 + 8))])
    expect(costs(loss(truth), 'crossEntropyGrad')).toEqual([kernel('crossEntropyGrad', 4 * (160 + 8 + 8))])
    expect(costs(loss(logits), 'crossEntropy')).toEqual([kernel('crossEntropy', 4 * (80 + 80 + 8))])
    const layer = tfl.layers.layerNormalization({})
    layer.build([8, 10])
    const gradients = () =>
      tf.variableGrads(() => tf.sum(layer.apply(tf.mul(logits, layer.getWeights()[0]!)) as tf.Tensor))
    expect(costs(gradients, 'layerNorm')).toEqual([kernel('layerNorm', 4 * (80 + 20 + 80 + 16))])
    expect(costs(gradients, 'layerNormGrad')).toEqual([kernel('layerNormGrad', 4 * (160 + 10 + 16 + 80))])
    expect(costs(gradients, 'layerNormParameterGrad')).toEqual([kernel('layerNormParameterGrad', 4 * (160 + 16 + 20))])
  })

  it('counts what cells and batch normalization read and write', () => {
    const kernel = (name: string, shape: string, bytes: number) => ({ kernel: name, shape, flops: 0, bytes })
    const step = (layer: tfl.layers.Layer) => () => tf.grad((x) => layer.apply(x) as tf.Tensor)(tf.ones([2, 1, 3]))
    // Gates of two rows and five units: four inputs twice, four gates kept, carry, new carry and result.
    const lstm = step(tfl.layers.lstm({ units: 5, recurrentInitializer: 'glorotUniform' }))
    expect(costs(lstm, 'lstmCell')).toEqual([kernel('lstmCell', '2x5', 4 * 10 * (8 + 4 + 3))])
    expect(costs(lstm, 'lstmCellGrad')).toEqual([kernel('lstmCellGrad', '2x5', 4 * 10 * (4 + 4 + 4 + 1))])
    const gru = step(tfl.layers.gru({ units: 5, recurrentInitializer: 'glorotUniform' }))
    expect(costs(gru, 'gruGates')).toEqual([kernel('gruGates', '2x5', 4 * 10 * (3 + 2 + 1 + 4))])
    expect(costs(gru, 'gruGatesGrad')).toEqual([kernel('gruGatesGrad', '2x5', 4 * 10 * (3 + 3 + 3 + 2 + 1))])
    expect(costs(gru, 'gruState')).toEqual([kernel('gruState', '10', 4 * 10 * 6)])
    expect(costs(gru, 'gruStateGrad')).toEqual([kernel('gruStateGrad', '10', 4 * 10 * 7)])
    const layer = tfl.layers.batchNormalization({})
    const norm = () => tf.grad((x) => layer.apply(x, { training: true }) as tf.Tensor)(tf.ones([4, 3, 5]))
    expect(costs(norm, 'batchNormTraining')).toEqual([kernel('batchNormTraining', '12x5', 4 * (2 * 60 + 20))])
    expect(costs(norm, 'batchNormTrainingGrad')).toEqual([kernel('batchNormTrainingGrad', '12x5', 4 * (3 * 60 + 25))])
  })

  it('counts the products of attention for the pairs that see each other', () => {
    const [query, key, value] = [tf.ones([2, 4, 3, 5]), tf.ones([2, 6, 3, 5]), tf.ones([2, 6, 3, 7])]
    for (const causal of [false, true]) {
      const pairs = causal ? 1 + 2 + 3 + 4 : 4 * 6
      const shape = `2x4x6 of 3x5${causal ? ' causal' : ''}`
      const run = () => tf.grad((x) => attention(x, key, value, { causal }))(query)
      const bytes = 4 * 2 * 3 * (4 + 6) * (5 + 7)
      expect(costs(run, 'attention')).toEqual([{ kernel: 'attention', shape, flops: 2 * 6 * pairs * (5 + 7), bytes }])
      expect(costs(run, 'attentionGrad')).toEqual([
        { kernel: 'attentionGrad', shape, flops: 2 * 6 * pairs * (3 * 5 + 2 * 7), bytes: 2 * bytes },
      ])
    }
    const tall = () =>
      void attention(tf.ones([1, 5, 1, 2]), tf.ones([1, 3, 1, 2]), tf.ones([1, 3, 1, 2]), { causal: true })
    expect(costs(tall, 'attention')[0]!.flops).toBe(2 * (1 + 2 + 3 + 3 + 3) * (2 + 2))
  })

  it('counts windows by the images that go in and out', () => {
    const x = tf.ones([2, 8, 8, 3]) as tf.Tensor4D
    const y = tf.ones([2, 4, 4, 3]) as tf.Tensor4D
    const about = { filterSize: 2, strides: 2, pad: 'valid' }
    const shape = '2x2 on 2x8x8x3 stride 2'
    expect(costs(() => tf.maxPool(x, 2, 2, 'valid'))).toEqual([
      { kernel: 'maxPool', shape, flops: 0, bytes: 4 * (x.size + y.size) },
    ])
    expect(costs(() => gradient(tf.MaxPoolGrad, { dy: y, input: x, output: y }, about))).toEqual([
      { kernel: 'maxPoolGrad', shape, flops: 0, bytes: 4 * (2 * x.size + y.size) },
    ])
    expect(costs(() => tf.image.resizeBilinear(x, [4, 6]))).toEqual([
      { kernel: 'resize', shape: '2x8x8x3 to 4x6', flops: 0, bytes: 4 * (x.size + 2 * 4 * 6 * 3) },
    ])
    expect(costs(() => gradient(tf.AvgPoolGrad, { dy: y, input: x }, about))).toEqual([
      { kernel: 'avgPoolGrad', shape, flops: 0, bytes: 4 * (x.size + y.size) },
    ])
  })
})
