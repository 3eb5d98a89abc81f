import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, expect, it } from 'vitest'
import {
  attention,
  copyInto,
  createDeviceFloats,
  createProgram,
  fillPart,
  pointerOf,
  type Recording,
  randomTensor,
  recordCalls,
  selectBackend,
} from '../../../../src/backends/index.js'
import { callTable } from '../../../../src/backends/wasm/program/call-table.js'
import { activeWasmBackend } from '../../../../src/backends/wasm/register.js'
import { resolveLoss } from '../../../../src/metrics/index.js'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(3 * i + 1))
const input = (...shape: number[]) => tf.tensor(values(shape.reduce((a, b) => a * b, 1)), shape)
const indices = (...list: number[]) => tf.tensor1d(list, 'int32')

const image = () => input(2, 6, 6, 2) as tf.Tensor4D
const filter = () => input(3, 3, 2, 4) as tf.Tensor4D
const gradientOf = (f: (x: tf.Tensor4D) => tf.Tensor) => (x: tf.Tensor4D) =>
  tf.grad(f as (x: tf.Tensor) => tf.Tensor)(x)

const truth = () => tf.softmax(input(3, 4) as tf.Tensor2D)
const crossEntropy = (logits: tf.Tensor) => resolveLoss('categoricalCrossentropy').perExample(truth(), logits)

const layers = new Map<string, tfl.layers.Layer>()
/** Applies a layer: one for all runs, so that a recording holds no start values. */
function applied(x: tf.Tensor, kind: 'layerNormalization' | 'batchNormalization' | 'lstm' | 'gru'): tf.Tensor {
  let layer = layers.get(kind)
  if (!layer) {
    layer = kind === 'lstm' || kind === 'gru' ? tfl.layers[kind]({ units: 3 }) : tfl.layers[kind]({})
    layers.set(kind, layer)
  }
  return layer.apply(x, { training: true }) as tf.Tensor
}
const normalize = (x: tf.Tensor) => applied(x, 'layerNormalization')
const sequence = () => input(2, 3, 4)
const attend = (x: tf.Tensor) => attention(x, x, input(2, 5, 2, 3), { causal: true })

/** For each kernel of the table something of tfjs that runs it. */
const uses: Record<string, () => tf.Tensor> = {
  matMul: () => tf.matMul(input(3, 5) as tf.Tensor2D, input(4, 5) as tf.Tensor2D, false, true),
  unary: () => tf.leakyRelu(input(9), 0.3),
  classify: () => tf.isFinite(tf.div(input(5), tf.tensor1d([0, 1, 0, 1, 1]))),
  logicalNot: () => tf.logicalNot(tf.greater(input(7), 0)),
  binary: () => tf.add(input(4, 3), input(3)),
  binaryStrided: () => tf.sub(input(2, 1, 3, 1), input(1, 4, 1, 2)),
  compare: () => tf.less(input(6), 0.2),
  compareStrided: () => tf.greaterEqual(input(2, 1, 3, 1), input(1, 4, 1, 2)),
  select: () => tf.where(tf.greater(input(5), 0), input(5), tf.neg(input(5))),
  fill: () => tf.add(tf.onesLike(input(4)), tf.zerosLike(input(4))),
  cast: () => tf.cast(tf.mul(input(6), 9), 'int32'),
  conv2d: () => tf.conv2d(image(), filter(), 1, 'same'),
  conv2dInputGrad: () => gradientOf((x) => tf.conv2d(x, filter(), 2, 'valid'))(image()),
  conv2dFilterGrad: () => tf.grad((f) => tf.conv2d(image(), f as tf.Tensor4D, 1, 'valid'))(filter()),
  depthwiseConv2d: () => tf.depthwiseConv2d(image(), filter(), 1, 'valid'),
  depthwiseConv2dInputGrad: () => gradientOf((x) => tf.depthwiseConv2d(x, filter(), 1, 'same'))(image()),
  depthwiseConv2dFilterGrad: () => tf.grad((f) => tf.depthwiseConv2d(image(), f as tf.Tensor4D, 1, 'same'))(filter()),
  maxPool: () => tf.maxPool(image(), 2, 2, 'valid'),
  maxPoolGrad: () => gradientOf((x) => tf.maxPool(x, 3, 2, 'same'))(image()),
  avgPool: () => tf.avgPool(image(), 2, 1, 'same'),
  avgPoolGrad: () => gradientOf((x) => tf.avgPool(x, 3, 2, 'same'))(image()),
  resize: () => gradientOf((x) => tf.image.resizeBilinear(x, [9, 4]))(image()),
  reduce: () => tf.max(input(3, 4, 5), 1),
  reduceInt: () => tf.sum(tf.cast(tf.mul(input(3, 4), 9), 'int32'), 0),
  reduceBool: () => tf.any(tf.greater(input(3, 4), 0.9), 1),
  argExtreme: () => tf.argMin(input(3, 4), 1),
  softmax: () => tf.softmax(input(3, 7) as tf.Tensor2D),
  stridedCopy: () => tf.transpose(input(2, 3, 4), [2, 0, 1]),
  copyRows: () => tf.concat([input(2, 3), input(2, 2)], 1),
  pad: () =>
    tf.pad(
      input(2, 3),
      [
        [1, 0],
        [0, 2],
      ],
      0.5,
    ),
  gather: () => tf.gather(input(5, 3), indices(4, 0, 4)),
  segmentSum: () => tf.unsortedSegmentSum(input(4, 3), indices(1, 0, 1, 2), 3),
  oneHot: () => tf.oneHot(indices(2, 0, 1), 4, 0.5, -1),
  batchNorm: () => tf.batchNorm(input(6, 3), input(3), tf.square(input(3)), input(3), input(3)),
  philoxFill: () =>
    randomTensor({ kind: 'dropoutMask', rate: 0.4, shape: [4, 6], seed: 9, step: 3, firstRow: 2, stream: 1 }),
  cumulative: () => tf.cumsum(input(3, 4), 0, true, true),
  crossEntropy: () => crossEntropy(input(3, 4)),
  crossEntropyGrad: () => tf.grad(crossEntropy)(input(3, 4)),
  layerNorm: () => normalize(input(6, 5)),
  layerNormGrad: () => tf.grad((x) => tf.square(normalize(x)))(input(6, 5)),
  layerNormParameterGrad: () => {
    const { grads } = tf.variableGrads(() => tf.sum(tf.square(normalize(input(6, 5)))))
    return Object.values(grads)[0]!
  },
  batchNormTraining: () => applied(input(6, 5), 'batchNormalization'),
  batchNormTrainingGrad: () => tf.grad((x) => tf.square(applied(x, 'batchNormalization')))(input(6, 5)),
  lstmCell: () => applied(sequence(), 'lstm'),
  lstmCellGrad: () => tf.grad((x) => applied(x, 'lstm'))(sequence()),
  gruGates: () => applied(sequence(), 'gru'),
  gruGatesGrad: () => tf.grad((x) => applied(x, 'gru'))(sequence()),
  gruState: () => applied(sequence(), 'gru'),
  gruStateGrad: () => tf.grad((x) => applied(x, 'gru'))(sequence()),
  attention: () => attend(input(2, 5, 2, 3)),
  attentionGrad: () => tf.grad(attend)(input(2, 5, 2, 3)),
  addInto: () => tf.addN([input(5), input(5), input(5)]),
}

const sizesOf = ({ buffers }: Recording) => buffers.map(({ bytes }) => bytes)

it.each(Object.keys(uses))('a program runs %s as the kernel runs by itself', async (name) => {
  tf.engine().startScope()
  // The first run makes what lives on, such as the weights of a layer.
  uses[name]!()
  const { result, recording } = recordCalls(uses[name]!)
  expect(recording.refusal).toBeUndefined()
  expect(recording.calls.map((call) => call.name)).toContain(name)
  const expected = await result.data()
  const constants = new Map<number, Uint8Array>()
  const offsets = new Map<number, number>()
  let bytes = 0
  recording.buffers.forEach((buffer, i) => {
    offsets.set(i, bytes)
    bytes += Math.ceil(buffer.bytes / 64) * 64 + 64
    if (buffer.content && 'constant' in buffer.content) constants.set(i, buffer.content.constant)
  })
  const program = createProgram({ calls: recording.calls, bytes, offsets, sizes: sizesOf(recording), constants })
  expect(program.run({})).toBe(0)
  const { heap } = activeWasmBackend()!
  const start = program.address(recording.placeOf(pointerOf(result)))
  const actual =
    result.dtype === 'bool'
      ? heap.bytes.slice(start, start + result.size)
      : (result.dtype === 'int32' ? heap.ints : heap.floats).slice(start / 4, start / 4 + result.size)
  expect(actual).toEqual(expected)
  program.dispose()
  tf.engine().endScope()
})

it('covers every kernel that a program may call', () => {
  // tests/unit/engine/chains.test.ts runs those.
  expect(Object.keys(callTable).filter((name) => !(name in uses))).toEqual(['chain', 'joined'])
})

it('reports indices that lie outside', () => {
  const index = tf.variable(tf.scalar(0))
  const table = createDeviceFloats(8)!
  fillPart(table, 0, 8, 0)
  const { recording } = recordCalls(() => tf.gather(table.tensor(0, [4, 2]), indices(1, 2)))
  const offsets = new Map(recording.buffers.map((_, i) => [i, i * 64]))
  const plan = { calls: recording.calls, bytes: 256, offsets, sizes: sizesOf(recording) }
  const constants = new Map([[0, new Uint8Array(Int32Array.of(1, 7).buffer)]])
  const program = createProgram({ ...plan, constants })
  expect(program.run({})).toBe(1)
  copyInto(index, table, 0, false)
  program.dispose()
  table.dispose()
})
