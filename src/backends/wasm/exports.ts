/**
 * What the kernel module (assembly/) exports.
 *
 * Pointers are byte offsets into the module's memory; lengths, sizes and strides count elements. Floats are float32,
 * bool is one byte per element. Shapes and strides that are passed by pointer are int32. Outputs are dense and may not
 * overlap inputs, except where a kernel is said to work in place. Any size may be 0.
 * @module
 */

import type { LayerExports } from './layer-exports.js'
import type { UpdateExports } from './update-exports.js'

/** Applied to a result before it is stored. */
export const activationCodes = { linear: 0, relu: 1, relu6: 2, sigmoid: 3, tanh: 4 } as const

/** Element types of `binary`, `compare`, `cast` and `fill`. Bytes are read as numbers, and written as 0 or 1. */
export const dtypeCodes = { float32: 0, int32: 1, bool: 2, uint8: 2 } as const

/** Operations of `unary`. */
export const unaryCodes = {
  neg: 0,
  abs: 1,
  square: 2,
  sqrt: 3,
  rsqrt: 4,
  reciprocal: 5,
  exp: 6,
  expm1: 7,
  log: 8,
  log1p: 9,
  sigmoid: 10,
  tanh: 11,
  relu: 12,
  relu6: 13,
  /** Slope alpha below zero. */
  leakyRelu: 14,
  elu: 15,
  selu: 16,
  softplus: 17,
  sin: 18,
  cos: 19,
  tan: 20,
  floor: 21,
  ceil: 22,
  /** Halves to the even neighbour. */
  round: 23,
  sign: 24,
  /** 1 above zero, else alpha; NaN stays. */
  step: 25,
  erf: 26,
  /** To alpha .. beta. */
  clip: 27,
  sinh: 28,
  cosh: 29,
  asin: 30,
  acos: 31,
  atan: 32,
  asinh: 33,
  acosh: 34,
  atanh: 35,
  /** alpha * x + beta. */
  affine: 36,
  /** x times the share of a standard normal distribution below x. */
  gelu: 37,
  /** The same with tanh in place of erf. */
  geluTanh: 38,
} as const

/** Operations of `binary`: float32 and int32; those after pow are float32 only. */
export const binaryCodes = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  maximum: 4,
  minimum: 5,
  squaredDifference: 6,
  /** Rounded down. */
  floorDiv: 7,
  /** Sign of the divisor. */
  mod: 8,
  pow: 9,
  atan2: 10,
  /** 0 where the divisor is 0. */
  divNoNan: 11,
  /** a below zero times b. */
  prelu: 12,
  /** a = dy, b = the output of elu. */
  eluGrad: 13,
  /** a = dy, b = the input or the output of relu: dy where it is above 0, else 0. */
  reluGrad: 14,
  /** a = dy, b = the input of gelu. */
  geluGrad: 15,
  /** a = dy, b = the input of geluTanh. */
  geluTanhGrad: 16,
} as const

/** Operations of `compare`; the logical ones take bool. */
export const compareCodes = {
  equal: 0,
  notEqual: 1,
  less: 2,
  lessEqual: 3,
  greater: 4,
  greaterEqual: 5,
  logicalAnd: 6,
  logicalOr: 7,
  logicalXor: 8,
} as const

/** Operations of `classify`. */
export const classifyCodes = { isNaN: 0, isInf: 1, isFinite: 2 } as const

/** Operations of `reduce`. */
export const reduceCodes = { sum: 0, mean: 1, max: 2, min: 3, prod: 4 } as const

/** What `philoxFill` draws. */
export const randomCodes = { uniform: 0, normal: 1, dropoutMask: 2 } as const

/** Why a program stopped before its end. */
export const stopCodes = {
  /** The loss is not a finite number. */
  notFinite: -1,
  /** The group of workers has ended. */
  ended: -2,
  /** Another worker did not come in time. */
  late: -3,
} as const

/** The kernels. */
export interface KernelExports extends LayerExports, UpdateExports {
  /** First byte that the module itself does not use. */
  heapBase(): number
  /**
   * Where matMul and the convolutions pack their operands: this instance's own, at least 64 KiB, better 4 MiB.
   * Convolutions trap unless one patch (filter height x width x channels, float32) and 32 KiB fit. Those of 3 x 3 taps
   * and stride 1 are about twice as fast where 85 bytes x channels x outChannels and some tiles fit.
   */
  setScratch(pointer: number, sizeBytes: number): void

  /**
   * out[i] = activation(op(a[i]) op(b[i]) + bias), op = transpose where the flag is 1; i counts the batch.
   *
   * op(a) is `[m, k]`, op(b) `[k, n]`, out `[m, n]`. Row strides are those of the matrices as stored; a batch stride of
   * 0 uses the same matrix for each. bias is `[n]`, or pointer 0 for none.
   */
  matMul(
    a: number,
    b: number,
    out: number,
    bias: number,
    activation: number,
    m: number,
    n: number,
    k: number,
    transposeA: number,
    transposeB: number,
    rowStrideA: number,
    rowStrideB: number,
    rowStrideOut: number,
    batch: number,
    batchStrideA: number,
    batchStrideB: number,
    batchStrideOut: number,
  ): void

  /** x = activation(x + bias) in place, x `[rows, columns]` with a stride between rows, bias `[columns]` or 0 for none. */
  biasActivate(x: number, bias: number, activation: number, rows: number, columns: number, rowStride: number): void

  /** Float32, in place if wished. alpha and beta are read by the operations that say so. */
  unary(code: number, input: number, out: number, n: number, alpha: number, beta: number): void
  /** bool of n floats. */
  classify(code: number, input: number, out: number, n: number): void
  /** bool of n bools. */
  logicalNot(input: number, out: number, n: number): void
  /**
   * out[r, i] = a[r * rowStrideA + i * stepA] op b[r * rowStrideB + i * stepB] for rows x inner; steps are 0 or 1.
   *
   * Same shape: rows 1, steps 1. Scalar: step 0. Trailing row: row stride 0. In place over an operand of out's shape.
   */
  binary(
    code: number,
    dtype: number,
    a: number,
    b: number,
    out: number,
    rows: number,
    inner: number,
    rowStrideA: number,
    stepA: number,
    rowStrideB: number,
    stepB: number,
  ): void
  /** info: 18 int32: out's shape, strides of a, strides of b, six each, leading axes 1 (strides 0). Last strides 0 or 1. */
  binaryStrided(code: number, dtype: number, a: number, b: number, out: number, info: number): void
  /** As `binary`, out is bool. */
  compare(
    code: number,
    dtype: number,
    a: number,
    b: number,
    out: number,
    rows: number,
    inner: number,
    rowStrideA: number,
    stepA: number,
    rowStrideB: number,
    stepB: number,
  ): void
  /** As `binaryStrided`, out is bool. */
  compareStrided(code: number, dtype: number, a: number, b: number, out: number, info: number): void
  /** out = condition ? a : b; each condition (bool) chooses for `inner` elements of 1 or 4 bytes. */
  select(condition: number, a: number, b: number, out: number, n: number, inner: number, elementBytes: number): void
  /** n elements of the dtype. */
  fill(dtype: number, out: number, n: number, value: number): void
  /** From dtype to dtype; float32 to int32 truncates. */
  cast(from: number, to: number, input: number, out: number, n: number): void
  /** out += scale * input. */
  addInto(input: number, out: number, n: number, scale: number): void

  /**
   * NHWC convolution, filter `[filterHeight, filterWidth, inChannels, outChannels]`; `geometry` points to 15 int32:
   * batch, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth, strideHeight,
   * strideWidth, dilationHeight, dilationWidth, padTop, padLeft. bias may be 0. For depthwise convolutions and pools
   * outChannels is inChannels * multiplier, and inChannels.
   */
  conv2d(x: number, filter: number, bias: number, activation: number, out: number, geometry: number): void
  /** dx, overwritten. */
  conv2dInputGrad(dy: number, filter: number, dx: number, geometry: number): void
  /** dFilter, overwritten. */
  conv2dFilterGrad(x: number, dy: number, dFilter: number, geometry: number): void
  /** Filter `[filterHeight, filterWidth, inChannels, multiplier]`. */
  depthwiseConv2d(x: number, filter: number, bias: number, activation: number, out: number, geometry: number): void
  depthwiseConv2dInputGrad(dy: number, filter: number, dx: number, geometry: number): void
  depthwiseConv2dFilterGrad(x: number, dy: number, dFilter: number, geometry: number): void
  maxPool(x: number, out: number, geometry: number): void
  /** The first maximum of each window takes the gradient. */
  maxPoolGrad(x: number, dy: number, dx: number, geometry: number): void
  /** Mean over the part of the window that lies inside the image. */
  avgPool(x: number, out: number, geometry: number): void
  avgPoolGrad(dy: number, dx: number, geometry: number): void
  /**
   * `[batch, height, width, channels]` to `[batch, newHeight, newWidth, channels]`: out[r, c] is the sum of the pixels from
   * (first row, first column) on, as many as there are taps, each times the weight of its row and that of its column.
   *
   * @param taps - A table of words. Three int32 for each new row, then for each new column: the first of the original, how
   *   many, and where in the table their weights lie, which are float32.
   */
  resize(
    x: number,
    taps: number,
    out: number,
    batch: number,
    height: number,
    width: number,
    channels: number,
    newHeight: number,
    newWidth: number,
  ): void

  /** Running sums or products along the middle axis of `[outer, size, inner]`, float32 or int32. */
  cumulative(
    isProduct: number,
    dtype: number,
    input: number,
    out: number,
    outer: number,
    size: number,
    inner: number,
    exclusive: number,
    reverse: number,
  ): void
  /** `[outer, size, inner]` to `[outer, inner]`, float32. Empty: 0, NaN, -Infinity, Infinity, 1. */
  reduce(code: number, input: number, out: number, outer: number, size: number, inner: number): void
  /** int32 sums or products, wrapped; code as in `reduce`, no mean. */
  reduceInt(code: number, input: number, out: number, outer: number, size: number, inner: number): void
  /** bool. isAll 1: every one, 0: any. */
  reduceBool(isAll: number, input: number, out: number, outer: number, size: number, inner: number): void
  /** Index (int32) of the first maximum, or minimum when isMin is 1, of float32. */
  argExtreme(isMin: number, input: number, out: number, outer: number, size: number, inner: number): void

  /**
   * A strided box as a dense one: transposes, slices, repetitions. info: 12 int32: out's shape and, for each axis, the
   * input's stride, leading axes 1 (0). The input pointer is at the box' first element; strides may be negative.
   */
  stridedCopy(input: number, out: number, elementBytes: number, info: number): void
  /** rows x rowBytes, from one pitch to another (bytes): slice and concat along one axis. */
  copyRows(input: number, out: number, rows: number, rowBytes: number, inputPitch: number, outPitch: number): void
  /** 4-byte elements. info: 18 int32: input's shape, padding before, padding after. */
  pad(input: number, out: number, value: number, info: number): void
  /**
   * out[o, i, :] = input[o, indices[i], :]; input `[outer, size, rowBytes]`, indices int32 `[count]`.
   *
   * @returns How many indices lay outside 0 .. size - 1 (their rows are zero).
   */
  gather(
    input: number,
    indices: number,
    out: number,
    outer: number,
    size: number,
    count: number,
    rowBytes: number,
  ): number
  /** out `[segments, inner]` = sums of the rows of input `[rows, inner]` whose id (int32) it is; ids outside are left out. */
  segmentSum(input: number, ids: number, out: number, rows: number, inner: number, segments: number): void
  /** out `[n, depth]` float32 of int32 indices. */
  oneHot(indices: number, out: number, n: number, depth: number, onValue: number, offValue: number): void

  /**
   * Runs the calls between two addresses, in the words of program/call-table.ts.
   *
   * @returns How many indices lay outside, over all calls of `gather`; below 0 one of `stopCodes`. A `meet` or `totals`
   *   after such an index ends the program.
   */
  runProgram(from: number, to: number): number
  /**
   * Runs a program `count` times, or until it stops. Before each run, words are set from a row of the table: `targets` holds
   * pairs of int32, the address of a word and the byte in the row that it is taken from.
   *
   * @param outcome - Receives an int32: what the last run returned.
   * @returns How many runs are complete.
   */
  runLoop(
    from: number,
    to: number,
    targets: number,
    targetCount: number,
    table: number,
    rowBytes: number,
    count: number,
    outcome: number,
  ): number
  /**
   * Waits until `count` threads have called it: looks `spins` times, then sleeps. Only where the memory is shared.
   *
   * @param place - 128 bytes on the boundary of a cache line, 0 at first.
   * @returns 0, or one of `stopCodes`.
   */
  meet(place: number, count: number, spins: number, timeoutMs: number): number
  /** Ends all meetings at a place, under way or later. */
  endMeetings(place: number): void
  /** The numbers of `randomValues` in ../random-tensor.ts; normal ones to float32 rounding of log, sin and cos. */
  philoxFill(
    out: number,
    rows: number,
    rowSize: number,
    kind: number,
    rate: number,
    seed: number,
    step: number,
    firstRow: number,
    stream: number,
  ): void
}
