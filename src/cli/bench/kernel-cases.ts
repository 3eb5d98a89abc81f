/**
 * What `dcml bench kernels` measures: operations of tfjs as a user calls them, the checks and tensors that tfjs makes
 * included.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { adam, attention, Dataset, Random, Trainer } from '../../index.js'

/** One line of the table. */
export interface KernelCase {
  kernel: string
  shape: string
  /** What one call does: floating-point operations, or bytes where memory is the bound. */
  work: { flops: number } | { bytes: number }
  /** Makes the operands. */
  prepare(): Measure
}

/** Measures for so many seconds, one call at least. Returns microseconds per call. */
type Measure = (seconds: number) => number | Promise<number>

/** Elements of vectors and matrices: 256 KiB of float32, which the second-level cache holds. */
const ELEMENTS = 65_536
const MATRIX: [number, number] = [256, 256]

/** Calls a function as often as the time allows. */
function calls(run: () => tf.TensorContainer): Measure {
  return (seconds) => {
    let count = 0
    let elapsedMs = 0
    const start = performance.now()
    do {
      tf.dispose(run())
      count++
      elapsedMs = performance.now() - start
    } while (elapsedMs < seconds * 1000)
    return (elapsedMs * 1000) / count
  }
}

function matMul(m: number, n: number, k: number, transposeA = false, transposeB = false): KernelCase {
  const notes = [...(transposeA ? ['aT'] : []), ...(transposeB ? ['bT'] : [])]
  return {
    kernel: 'matMul',
    shape: [`${m}x${n}x${k}`, ...notes].join(' '),
    work: { flops: 2 * m * n * k },
    prepare() {
      const a = filled(transposeA ? [k, m] : [m, k])
      const b = filled(transposeB ? [n, k] : [k, n])
      return calls(() => tf.matMul(a, b, transposeA, transposeB))
    },
  }
}

/** A dense layer: its output, the gradient of its weights, that of its input. */
const dense = (rows: number, inputs: number, units: number): KernelCase[] => [
  matMul(rows, units, inputs),
  matMul(inputs, units, rows, true),
  matMul(rows, inputs, units, false, true),
]

const allTransposes = (size: number): KernelCase[] =>
  [false, true].flatMap((a) => [false, true].map((b) => matMul(size, size, size, a, b)))

/** A convolution of 3x3 without padding on 32 images: its output, the gradient of its filter, that of its input. */
function convolution(size: number, inChannels: number, outChannels: number): KernelCase[] {
  const out = size - 2
  const xShape: [number, number, number, number] = [32, size, size, inChannels]
  const filterShape: [number, number, number, number] = [3, 3, inChannels, outChannels]
  const work = { flops: 2 * 32 * out * out * outChannels * 9 * inChannels }
  const shape = `3x3 ${inChannels}->${outChannels} on 32x${size}x${size}`
  const attributes = { strides: 1, pad: 'valid', dataFormat: 'NHWC', dimRoundingMode: undefined }
  const x = () => filled(xShape) as tf.Tensor4D
  const filter = () => filled(filterShape) as tf.Tensor4D
  const dy = () => filled([32, out, out, outChannels])
  return [
    {
      kernel: 'conv2d',
      shape,
      work,
      prepare() {
        const [image, weights] = [x(), filter()]
        return calls(() => tf.conv2d(image, weights, 1, 'valid'))
      },
    },
    {
      kernel: 'conv2dFilterGrad',
      shape,
      work,
      prepare: () => kernel(tf.Conv2DBackpropFilter, { x: x(), dy: dy() }, { ...attributes, filterShape }),
    },
    {
      kernel: 'conv2dInputGrad',
      shape,
      work,
      prepare: () =>
        kernel(tf.Conv2DBackpropInput, { dy: dy(), filter: filter() }, { ...attributes, inputShape: xShape }),
    },
  ]
}

/** Attention of 4 heads of 32 in 8 sequences, causal or not: two products of each pair that sees each other. */
function attend(tokens: number, causal: boolean): KernelCase {
  const pairs = causal ? (tokens * (tokens + 1)) / 2 : tokens * tokens
  return {
    kernel: 'attention',
    shape: `8x${tokens}x${tokens} of 4x32${causal ? ' causal' : ''}`,
    work: { flops: 2 * 8 * 4 * pairs * 64 },
    prepare() {
      const x = filled([8, tokens, 4, 32])
      return calls(() => attention(x, x, x, { causal }))
    },
  }
}

/** Pooling of 2x2 on 32 images, and its gradient. */
function pooling(size: number, channels: number): KernelCase[] {
  const out = Math.floor(size / 2)
  const attributes = { filterSize: 2, strides: 2, pad: 'valid' }
  const [elements, outElements] = [32 * size * size * channels, 32 * out * out * channels]
  const x = () => filled([32, size, size, channels]) as tf.Tensor4D
  const dy = () => filled([32, out, out, channels])
  const about = (name: string, images: number) => ({
    kernel: name,
    shape: `2x2 on 32x${size}x${size}x${channels}`,
    work: { bytes: 4 * (images * elements + outElements) },
  })
  const forward = (pool: typeof tf.maxPool) => {
    const image = x()
    return calls(() => pool(image, 2, 2, 'valid'))
  }
  return [
    { ...about('maxPool', 1), prepare: () => forward(tf.maxPool) },
    {
      ...about('maxPoolGrad', 2),
      prepare: () => kernel(tf.MaxPoolGrad, { dy: dy(), input: x(), output: dy() }, attributes),
    },
    { ...about('avgPool', 1), prepare: () => forward(tf.avgPool) },
    { ...about('avgPoolGrad', 1), prepare: () => kernel(tf.AvgPoolGrad, { dy: dy(), input: x() }, attributes) },
  ]
}

/** A kernel that tfjs runs for gradients alone. */
function kernel(name: string, inputs: tf.NamedTensorMap, attributes: object): Measure {
  return calls(() => tf.engine().runKernel(name, inputs, attributes as never) as tf.Tensor)
}

/** An operation on tensors that are bound by memory. */
const bound = (
  name: string,
  shape: readonly (number | string)[],
  bytes: number,
  prepare: () => () => tf.TensorContainer,
): KernelCase => ({ kernel: name, shape: shape.join('x'), work: { bytes }, prepare: () => calls(prepare()) })

const unary = (name: string, run: (x: tf.Tensor) => tf.Tensor): KernelCase =>
  bound(name, [ELEMENTS], 8 * ELEMENTS, () => {
    const x = filled([ELEMENTS])
    return () => run(x)
  })

const onMatrix = (name: string, outElements: number, run: (x: tf.Tensor2D) => tf.Tensor, note = ''): KernelCase =>
  bound(name, [256, `256${note}`], 4 * (ELEMENTS + outElements), () => {
    const x = filled(MATRIX) as tf.Tensor2D
    return () => run(x)
  })

const reduction = (name: string, run: (x: tf.Tensor, axis: number) => tf.Tensor): KernelCase[] => [
  onMatrix(name, 256, (x) => run(x, 1)),
  onMatrix(name, 256, (x) => run(x, 0), ' columns'),
]

/** Copying in JavaScript: what the memory gives. */
const copy: KernelCase = bound('copy', [ELEMENTS], 8 * ELEMENTS, () => {
  const from = new Float32Array(ELEMENTS).fill(1)
  const to = new Float32Array(ELEMENTS)
  return () => {
    to.set(from)
    return []
  }
})

const layerNorm: KernelCase = bound('layerNorm', MATRIX, 8 * ELEMENTS, () => {
  const x = filled(MATRIX)
  const layer = tfl.layers.layerNormalization({})
  return () => tf.tidy(() => layer.apply(x) as tf.Tensor)
})

/** The update of a dense layer of 65,536 parameters, from a profile of its step: no operation of tfjs does it. */
const adamUpdate: KernelCase = {
  kernel: 'adam',
  shape: `${ELEMENTS} parameters`,
  // Reads weights, gradients and two slots; writes weights and slots.
  work: { bytes: 28 * ELEMENTS },
  prepare() {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 256, inputShape: [255] })] })
    const trainer = new Trainer({ model, loss: 'meanSquaredError', optimizer: adam() })
    const zeros = (width: number) => ({ data: new Float32Array(width), shape: [1, width] })
    const data = Dataset.fromArrays({ x: zeros(255), y: zeros(256) })
    return async () => {
      const { calls: timed } = await trainer.profile(data, { batchSize: 1 })
      return timed.at(-1)!.ms * 1000
    }
  },
}

/** What the share of the peak refers to; measured in any case. */
export const references: readonly KernelCase[] = [matMul(256, 256, 256), copy]

/** All cases. */
export const kernelCases: readonly KernelCase[] = [
  ...references,
  ...allTransposes(512),
  ...allTransposes(1024),
  ...dense(32, 784, 64),
  ...dense(32, 64, 10),
  ...dense(32, 512, 512),
  // The network of the case cnn of `dcml bench train`.
  ...convolution(28, 1, 32),
  ...convolution(13, 32, 64),
  ...pooling(26, 32),
  ...pooling(11, 64),
  ...[64, 512].flatMap((tokens) => [false, true].map((causal) => attend(tokens, causal))),
  onMatrix('softmax', ELEMENTS, (x) => tf.softmax(x)),
  layerNorm,
  bound('add', [ELEMENTS], 12 * ELEMENTS, () => {
    const [a, b] = [filled([ELEMENTS]), filled([ELEMENTS])]
    return () => tf.add(a, b)
  }),
  unary('exp', tf.exp),
  unary('tanh', tf.tanh),
  unary('sigmoid', tf.sigmoid),
  unary('log', tf.log),
  ...reduction('sum', tf.sum),
  ...reduction('max', tf.max),
  ...reduction('argMax', tf.argMax),
  onMatrix('transpose', ELEMENTS, (x) => tf.transpose(x)),
  // An embedding: 2,048 tokens of 32 numbers each.
  bound('gather', ['2048 of 1000', 32], 4 * (2048 + 2 * ELEMENTS), () => {
    const [table, indices] = [filled([1000, 32]), classes(2048, 1000)]
    return () => tf.gather(table, indices)
  }),
  bound('segmentSum', ['2048 to 1000', 32], 4 * (2048 + ELEMENTS + 32_000), () => {
    const [rows, ids] = [filled([2048, 32]), classes(2048, 1000)]
    return () => tf.unsortedSegmentSum(rows, ids, 1000)
  }),
  adamUpdate,
]

/** Seeded numbers from 0.5 to 1.5. */
function filled(shape: number[]): tf.Tensor {
  const random = new Random(1)
  const length = shape.reduce((product, size) => product * size, 1)
  return tf.tensor(
    Float32Array.from({ length }, () => 0.5 + random.uniform()),
    shape,
  )
}

function classes(count: number, below: number): tf.Tensor1D {
  const random = new Random(2)
  return tf.tensor1d(
    Int32Array.from({ length: count }, () => random.integer(below)),
    'int32',
  )
}
