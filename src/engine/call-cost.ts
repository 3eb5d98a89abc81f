/**
 * What a kernel call has to do: its name and shape for people, floating-point operations and bytes for rates.
 *
 * Products and convolutions are judged by their operations: a multiplication and an addition for each pair of factors,
 * padding included, as the definition has it; an algorithm that needs fewer may pass the machine's peak. Every other
 * kernel is bound by memory and judged by the bytes of its operands and results, each counted once.
 * @module
 */

import {
  activationCodes,
  binaryCodes,
  type CallName,
  chainHead,
  type chainLink,
  classifyCodes,
  compareCodes,
  dtypeCodes,
  elementwiseOf,
  linkArgument,
  type RecordedCall,
  randomCodes,
  readsOfJoined,
  reduceCodes,
  sizeOfOperand,
  unaryCodes,
  writesOfJoined,
} from '../backends/index.js'
import { sizeOf } from '../core/index.js'

/** What one call computes. */
export interface CallCost {
  /** What is computed, such as `matMul`, `relu` or `sum`. */
  readonly kernel: string
  /** The sizes that it is computed on, such as `32x64x784`: rows, columns and inner length of a product. */
  readonly shape: string
  /** Floating-point operations; 0 for kernels that are bound by memory. */
  readonly flops: number
  /** Bytes that are read or written. */
  readonly bytes: number
}

/** Judges a call by its arguments. */
export const costOf = (call: RecordedCall): CallCost => rules[call.name](call)

/** Arguments are numbered as in `KernelExports`. */
const rules: Record<CallName, (call: RecordedCall) => CallCost> = {
  matMul(call) {
    const [m, n, k, transposeA, transposeB, batch] = numbers(call, 5, 6, 7, 8, 9, 13) as Six
    const notes = [batch > 1 ? `of ${batch}` : '', transposeA ? 'aT' : '', transposeB ? 'bT' : '', epilogue(call, 3, 4)]
    return {
      kernel: 'matMul',
      shape: [`${m}x${n}x${k}`, ...notes].filter(Boolean).join(' '),
      flops: 2 * m * n * k * batch,
      bytes: 4 * batch * (m * k + k * n + m * n),
    }
  },
  conv2d: (call) => convolution(call, epilogue(call, 2, 3)),
  conv2dInputGrad: (call) => convolution(call),
  conv2dFilterGrad: (call) => convolution(call),
  depthwiseConv2d: (call) => convolution(call, epilogue(call, 2, 3)),
  depthwiseConv2dInputGrad: (call) => convolution(call),
  depthwiseConv2dFilterGrad: (call) => convolution(call),
  maxPool: (call) => pool(call, 1, 1),
  maxPoolGrad: (call) => pool(call, 2, 1),
  avgPool: (call) => pool(call, 1, 1),
  avgPoolGrad: (call) => pool(call, 1, 1),
  resize(call) {
    const [batch, height, width, channels, newHeight, newWidth] = numbers(call, 3, 4, 5, 6, 7, 8) as Six
    const shape = [batch, height, width, `${channels} to ${newHeight}`, newWidth]
    return memoryBound('resize', shape, 4 * batch * channels * (height * width + newHeight * newWidth))
  },

  chain,
  joined,
  unary: (call) => elementwise(nameOf(unaryCodes, call), [number(call, 3)], 8),
  classify: (call) => elementwise(nameOf(classifyCodes, call), [number(call, 3)], 5),
  logicalNot: (call) => elementwise('logicalNot', [number(call, 2)], 2),
  binary: (call) => broadcast(nameOf(binaryCodes, call), call, bytesOf(number(call, 1))),
  binaryStrided: (call) => strided(nameOf(binaryCodes, call), call, bytesOf(number(call, 1))),
  compare: (call) => broadcast(nameOf(compareCodes, call), call, 1),
  compareStrided: (call) => strided(nameOf(compareCodes, call), call, 1),
  select(call) {
    const [n, inner, elementBytes] = numbers(call, 4, 5, 6) as Three
    return memoryBound('select', [n, inner], n + 3 * n * inner * elementBytes)
  },
  fill: (call) => elementwise('fill', [number(call, 2)], bytesOf(number(call, 0))),
  cast: (call) => elementwise('cast', [number(call, 4)], bytesOf(number(call, 0)) + bytesOf(number(call, 1))),
  addInto: (call) => elementwise('addInto', [number(call, 2)], 12),

  reduce: (call) => reduction(nameOf(reduceCodes, call), call, 4, 4),
  reduceInt: (call) => reduction(nameOf(reduceCodes, call), call, 4, 4),
  reduceBool: (call) => reduction(number(call, 0) === 1 ? 'all' : 'any', call, 1, 1),
  argExtreme: (call) => reduction(number(call, 0) === 1 ? 'argMin' : 'argMax', call, 4, 4),
  softmax: (call) => elementwise(number(call, 0) === 1 ? 'logSoftmax' : 'softmax', numbers(call, 3, 4), 8),
  crossEntropy(call) {
    const [rows, size] = numbers(call, 4, 5) as Two
    return memoryBound('crossEntropy', [rows, size], 4 * rows * (size + truthOf(call, 1, size) + 1))
  },
  crossEntropyGrad(call) {
    const [rows, size] = numbers(call, 5, 6) as Two
    return memoryBound('crossEntropyGrad', [rows, size], 4 * rows * (2 * size + truthOf(call, 2, size) + 1))
  },
  layerNorm(call) {
    const [rows, size] = numbers(call, 5, 6) as Two
    return memoryBound('layerNorm', [rows, size], 8 * (rows * size + rows + size))
  },
  layerNormGrad(call) {
    const [rows, size] = numbers(call, 5, 6) as Two
    return memoryBound('layerNormGrad', [rows, size], 4 * (3 * rows * size + 2 * rows + size))
  },
  layerNormParameterGrad(call) {
    const [rows, size] = numbers(call, 5, 6) as Two
    return memoryBound('layerNormParameterGrad', [rows, size], 8 * (rows * size + rows + size))
  },
  batchNorm(call) {
    const [rows, channels] = numbers(call, 6, 7) as Two
    return memoryBound('batchNorm', [rows, channels], 8 * rows * channels + 16 * channels)
  },
  batchNormTraining(call) {
    const [rows, channels] = numbers(call, 6, 7) as Two
    return memoryBound('batchNormTraining', [rows, channels], 8 * rows * channels + 16 * channels)
  },
  batchNormTrainingGrad(call) {
    const [rows, channels] = numbers(call, 8, 9) as Two
    return memoryBound('batchNormTrainingGrad', [rows, channels], 12 * rows * channels + 20 * channels)
  },
  lstmCell: (call) => memoryBound('lstmCell', numbers(call, 6, 7), 4 * 15 * sizeOf(numbers(call, 6, 7))),
  lstmCellGrad: (call) => memoryBound('lstmCellGrad', numbers(call, 7, 8), 4 * 13 * sizeOf(numbers(call, 7, 8))),
  gruGates: (call) => memoryBound('gruGates', numbers(call, 7, 8), 4 * 10 * sizeOf(numbers(call, 7, 8))),
  gruGatesGrad: (call) => memoryBound('gruGatesGrad', numbers(call, 9, 10), 4 * 12 * sizeOf(numbers(call, 9, 10))),
  gruState: (call) => elementwise('gruState', [number(call, 6)], 24),
  gruStateGrad: (call) => elementwise('gruStateGrad', [number(call, 7)], 28),
  attention: (call) => attention(call, 5),
  attentionGrad: (call) => attention(call, 9),
  cumulative: (call) => elementwise(number(call, 0) === 1 ? 'cumprod' : 'cumsum', numbers(call, 4, 5, 6), 8),

  stridedCopy: (call) => box('stridedCopy', call),
  copyRows(call) {
    const [rows, rowBytes] = numbers(call, 2, 3) as Two
    return memoryBound('copyRows', [rows, `${rowBytes} bytes`], 2 * rows * rowBytes)
  },
  pad(call) {
    const [shape, before, after] = infoOf(call)
    const out = shape!.map((size, axis) => size + before![axis]! + after![axis]!)
    return memoryBound('pad', withoutLeadingOnes(out), 4 * (sizeOf(shape!) + sizeOf(out)))
  },
  gather(call) {
    const [outer, size, count, rowBytes] = numbers(call, 3, 4, 5, 6) as Four
    const bytes = 4 * count + 2 * outer * count * rowBytes
    return memoryBound('gather', [outer, `${count} of ${size}`, `${rowBytes} bytes`], bytes)
  },
  segmentSum(call) {
    const [rows, inner, segments] = numbers(call, 3, 4, 5) as Three
    return memoryBound('segmentSum', [`${rows} to ${segments}`, inner], 4 * (rows + rows * inner + segments * inner))
  },
  oneHot(call) {
    const [n, depth] = numbers(call, 2, 3) as Two
    return memoryBound('oneHot', [n, depth], 4 * (n + n * depth))
  },
  philoxFill: (call) => elementwise(nameOf(randomCodes, call, 3), numbers(call, 1, 2), 4),
}

/** Twice the size of the output times the size of a patch, in each direction of the convolution. */
function convolution({ name, info }: RecordedCall, note = ''): CallCost {
  const geometry = geometryOf(info!)
  const { batch, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth } = geometry
  const isDepthwise = name.startsWith('depthwise')
  const patch = filterHeight * filterWidth * (isDepthwise ? 1 : inChannels)
  const outputs = batch * outHeight * outWidth * outChannels
  const filters = filterHeight * filterWidth * (isDepthwise ? 1 : inChannels) * outChannels
  const parts = [
    `${filterHeight}x${filterWidth} ${inChannels}->${outChannels} on ${batch}x${inHeight}x${inWidth}`,
    spacing(geometry),
    note,
  ]
  return {
    kernel: name,
    shape: parts.filter(Boolean).join(' '),
    flops: 2 * outputs * patch,
    bytes: 4 * (batch * inHeight * inWidth * inChannels + filters + outputs),
  }
}

/** Tensors that go through a chain count once; what stays in its tiles does not. */
function chain(call: RecordedCall): CallCost {
  const n = number(call, chainHead.n)
  const names: string[] = []
  const moving = new Set<string>()
  for (let link = 0; link < number(call, chainHead.links); link++) {
    const value = (name: keyof typeof chainLink) => number(call, linkArgument(link, name))
    names.push(keyOf(value('isBinary') ? binaryCodes : unaryCodes, value('code')))
    for (const [name, moves] of [
      ['a', 'movesA'],
      ['b', 'movesB'],
      ['out', 'movesOut'],
    ] as const) {
      const { buffer, offset } = call.places.get(linkArgument(link, name))!
      if (value(moves)) moving.add(`${buffer} ${offset}`)
    }
  }
  return elementwise(names.join('+'), [n], 4 * moving.size)
}

/** What is read counts once, and what stays in registers not at all. */
function joined(call: RecordedCall): CallCost {
  const parts = call.parts!
  const { n } = elementwiseOf(parts[0]!)!
  const read = readsOfJoined(parts).reduce((sum, { axes, bytes }) => sum + sizeOfOperand(axes) * bytes, 0)
  const written = writesOfJoined(call).reduce((sum, { bytes }) => sum + n * bytes, 0)
  return memoryBound(parts.map((part) => costOf(part).kernel).join('+'), [n], read + written)
}

/**
 * Two products forward; backward five, that of the scores, which is computed again, included.
 *
 * @param first - Argument that holds the batch; queries, keys, heads, the two lengths and the causal flag follow it.
 */
function attention(call: RecordedCall, first: number): CallCost {
  const these = [0, 1, 2, 3, 4, 5, 6].map((i) => number(call, first + i)) as Seven
  const [batch, queries, keys, heads, dim, valueDim, isCausal] = these
  // Pairs of a query and a key that it sees.
  const seen = Math.min(queries, keys)
  const pairs = isCausal ? (seen * (seen + 1)) / 2 + (queries - seen) * keys : queries * keys
  const isForward = call.name === 'attention'
  const widths = isForward ? dim + valueDim : 3 * dim + 2 * valueDim
  const operands = queries * (dim + valueDim) + keys * (dim + valueDim)
  return {
    kernel: call.name,
    shape: `${batch}x${queries}x${keys} of ${heads}x${dim}${isCausal ? ' causal' : ''}`,
    flops: 2 * batch * heads * pairs * widths,
    bytes: 4 * batch * heads * (isForward ? operands : 2 * operands),
  }
}

/** @param inputs - How often data of the shape of the input is read or written; `outputs` likewise. */
function pool({ name, info }: RecordedCall, inputs: number, outputs: number): CallCost {
  const geometry = geometryOf(info!)
  const { batch, inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth } = geometry
  const shape = [`${filterHeight}x${filterWidth} on ${batch}x${inHeight}x${inWidth}x${inChannels}`, spacing(geometry)]
  return {
    kernel: name,
    shape: shape.filter(Boolean).join(' '),
    flops: 0,
    bytes: 4 * batch * inChannels * (inputs * inHeight * inWidth + outputs * outHeight * outWidth),
  }
}

function geometryOf(info: Int32Array) {
  const [batch, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, ...window] = info
  const [filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth] = window
  return {
    batch: batch!,
    inHeight: inHeight!,
    inWidth: inWidth!,
    inChannels: inChannels!,
    outHeight: outHeight!,
    outWidth: outWidth!,
    outChannels: outChannels!,
    filterHeight: filterHeight!,
    filterWidth: filterWidth!,
    strides: [strideHeight!, strideWidth!],
    dilations: [dilationHeight!, dilationWidth!],
  }
}

function spacing({ strides, dilations }: { strides: number[]; dilations: number[] }): string {
  const note = (name: string, [height, width]: number[]) =>
    height === 1 && width === 1 ? [] : [height === width ? `${name} ${height}` : `${name} ${height}x${width}`]
  return [...note('stride', strides), ...note('dilation', dilations)].join(' ')
}

/** What a product or a convolution does to its result before it is stored. */
function epilogue(call: RecordedCall, bias: number, activation: number): string {
  const code = number(call, activation)
  const notes = [...(isThere(call, bias) ? ['+bias'] : []), ...(code === 0 ? [] : [`+${keyOf(activationCodes, code)}`])]
  return notes.join(' ')
}

/** Numbers in a row of targets, or the one label where there are none. */
const truthOf = (call: RecordedCall, targets: number, size: number): number => (isThere(call, targets) ? size : 1)

/** Whether a pointer is not 0. */
function isThere(call: RecordedCall, argument: number): boolean {
  const { buffer, offset } = call.places.get(argument)!
  return buffer >= 0 || offset !== 0
}

function broadcast(kernel: string, call: RecordedCall, outBytes: number): CallCost {
  const [dtype, rows, inner, rowA, stepA, rowB, stepB] = numbers(call, 1, 5, 6, 7, 8, 9, 10) as Seven
  const operand = (row: number, step: number) => (row === 0 ? 1 : rows) * (step === 0 ? 1 : inner)
  const bytes = bytesOf(dtype) * (operand(rowA, stepA) + operand(rowB, stepB)) + outBytes * rows * inner
  return memoryBound(kernel, rows === 1 ? [inner] : [rows, inner], bytes)
}

function strided(kernel: string, call: RecordedCall, outBytes: number): CallCost {
  const [shape, stridesA, stridesB] = infoOf(call) as [number[], number[], number[]]
  const operand = (strides: number[]) => sizeOf(shape.filter((_, axis) => strides[axis] !== 0))
  const bytes = bytesOf(number(call, 1)) * (operand(stridesA) + operand(stridesB)) + outBytes * sizeOf(shape)
  return memoryBound(kernel, withoutLeadingOnes(shape), bytes)
}

function reduction(kernel: string, call: RecordedCall, inBytes: number, outBytes: number): CallCost {
  const [outer, size, inner] = numbers(call, 3, 4, 5) as Three
  const bytes = inBytes * outer * size * inner + outBytes * outer * inner
  if (inner === 1) return memoryBound(kernel, [outer, size], bytes)
  return memoryBound(kernel, outer === 1 ? [size, `${inner} columns`] : [outer, size, inner], bytes)
}

/** A box of up to six axes, read once and written once. */
function box(kernel: string, call: RecordedCall): CallCost {
  const shape = infoOf(call)[0]!
  return memoryBound(kernel, withoutLeadingOnes(shape), 2 * sizeOf(shape) * number(call, 2))
}

const elementwise = (kernel: string, shape: readonly number[], bytesPerElement: number): CallCost =>
  memoryBound(kernel, shape, sizeOf(shape) * bytesPerElement)

const memoryBound = (kernel: string, shape: readonly (number | string)[], bytes: number): CallCost => ({
  kernel,
  shape: shape.join('x'),
  flops: 0,
  bytes,
})

type Two = [number, number]
type Three = [...Two, number]
type Four = [...Three, number]
type Six = [...Four, number, number]
type Seven = [...Six, number]

const number = (call: RecordedCall, argument: number): number => call.numbers.get(argument)!
const numbers = (call: RecordedCall, ...these: number[]): number[] => these.map((argument) => number(call, argument))

const bytesOf = (dtype: number): number => (dtype === dtypeCodes.bool ? 1 : 4)

/** The name of a code; by default the first argument is the code. */
const nameOf = (codes: Readonly<Record<string, number>>, call: RecordedCall, argument = 0): string =>
  keyOf(codes, number(call, argument))

const keyOf = (codes: Readonly<Record<string, number>>, code: number): string =>
  Object.keys(codes).find((name) => codes[name] === code) ?? `operation ${code}`

/** What `info` points to, six axes at a time. */
function infoOf({ info }: RecordedCall): number[][] {
  const values = [...info!]
  return [values.slice(0, 6), values.slice(6, 12), values.slice(12)]
}

function withoutLeadingOnes(shape: readonly number[]): number[] {
  const sizes = [...shape]
  while (sizes.length > 1 && sizes[0] === 1) sizes.shift()
  return sizes
}
