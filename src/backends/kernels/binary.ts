/**
 * Functions of two tensors, element by element, with broadcasting.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { DeviceBackend } from '../device-backend.js'
import { binaryCodes, compareCodes, dtypeCodes } from '../wasm/exports.js'
import { plan, planBroadcast, writePlan } from './broadcast.js'
import { type BackendKernel, defineKernels } from './define.js'

/** Applies one function; undefined when dtypes or shapes are not covered. */
export function runBinary(
  backend: DeviceBackend,
  code: number,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
): tf.TensorInfo | undefined {
  const { dtype } = a
  if (dtype !== b.dtype || (dtype !== 'float32' && dtype !== 'int32')) return undefined
  if (dtype === 'int32' && code > binaryCodes.pow) return undefined
  const pointerA = backend.pointer(a)
  const pointerB = backend.pointer(b)
  const shape = planBroadcast(a.shape, b.shape)
  if (plan.axes < 0) return undefined
  const out = backend.output(shape, dtype)
  const pointer = backend.pointer(out)
  const type = dtype === 'float32' ? dtypeCodes.float32 : dtypeCodes.int32
  const { kernels } = backend
  if (plan.axes <= 2) {
    const last = plan.axes - 1
    const rows = last === 0 ? 1 : plan.lengths[0]!
    const [inner, stepA, stepB] = [plan.lengths[last]!, plan.stridesA[last]!, plan.stridesB[last]!]
    kernels.binary(
      code,
      type,
      pointerA,
      pointerB,
      pointer,
      rows,
      inner,
      plan.stridesA[0]!,
      stepA,
      plan.stridesB[0]!,
      stepB,
    )
  } else {
    writePlan(backend.heap.ints, backend.infoPointer / 4)
    kernels.binaryStrided(code, type, pointerA, pointerB, pointer, backend.infoPointer)
  }
  return out
}

function runCompare(
  backend: DeviceBackend,
  code: number,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
): tf.TensorInfo | undefined {
  const { dtype } = a
  const isLogical = code >= compareCodes.logicalAnd
  if (dtype !== b.dtype || dtype === 'string' || dtype === 'complex64' || isLogical !== (dtype === 'bool'))
    return undefined
  const pointerA = backend.pointer(a)
  const pointerB = backend.pointer(b)
  const shape = planBroadcast(a.shape, b.shape)
  if (plan.axes < 0) return undefined
  const out = backend.output(shape, 'bool')
  const pointer = backend.pointer(out)
  const type = dtypeCodes[dtype]
  const { kernels } = backend
  if (plan.axes <= 2) {
    const last = plan.axes - 1
    const rows = last === 0 ? 1 : plan.lengths[0]!
    const [inner, stepA, stepB] = [plan.lengths[last]!, plan.stridesA[last]!, plan.stridesB[last]!]
    kernels.compare(
      code,
      type,
      pointerA,
      pointerB,
      pointer,
      rows,
      inner,
      plan.stridesA[0]!,
      stepA,
      plan.stridesB[0]!,
      stepB,
    )
  } else {
    writePlan(backend.heap.ints, backend.infoPointer / 4)
    kernels.compareStrided(code, type, pointerA, pointerB, pointer, backend.infoPointer)
  }
  return out
}

const binary =
  (name: keyof typeof binaryCodes, first = 'a', second = 'b'): BackendKernel =>
  ({ inputs, backend }) =>
    runBinary(backend, binaryCodes[name], inputs[first]!, inputs[second]!)

const compare =
  (name: keyof typeof compareCodes): BackendKernel =>
  ({ inputs, backend }) =>
    runCompare(backend, compareCodes[name], inputs.a!, inputs.b!)

/** The sum of several tensors of one shape. */
const addN: BackendKernel = ({ inputs, backend }) => {
  const terms = inputs as unknown as tf.TensorInfo[]
  if (terms.some(({ dtype }) => dtype !== 'float32')) return undefined
  if (terms.length === 1) return backend.share(terms[0]!, terms[0]!.shape)
  const sum = runBinary(backend, binaryCodes.add, terms[0]!, terms[1]!)
  if (sum === undefined) return undefined
  const { pointer, length } = backend.record(sum.dataId)
  for (let i = 2; i < terms.length; i++) backend.kernels.addInto(backend.pointer(terms[i]!), pointer, length, 1)
  return sum
}

export const binaryKernels = defineKernels({
  Add: binary('add'),
  Sub: binary('sub'),
  Multiply: binary('mul'),
  RealDiv: binary('div'),
  Maximum: binary('maximum'),
  Minimum: binary('minimum'),
  SquaredDifference: binary('squaredDifference'),
  FloorDiv: binary('floorDiv'),
  Mod: binary('mod'),
  Pow: binary('pow'),
  Atan2: binary('atan2'),
  Prelu: binary('prelu', 'x', 'alpha'),
  EluGrad: binary('eluGrad', 'dy', 'y'),
  AddN: addN,
})

export const compareKernels = defineKernels({
  Equal: compare('equal'),
  NotEqual: compare('notEqual'),
  Less: compare('less'),
  LessEqual: compare('lessEqual'),
  Greater: compare('greater'),
  GreaterEqual: compare('greaterEqual'),
  LogicalAnd: compare('logicalAnd'),
  LogicalOr: compare('logicalOr'),
})
