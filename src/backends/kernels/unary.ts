/**
 * Functions of one float32 tensor, element by element.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { DataRecord } from '../data-record.js'
import type { DeviceBackend } from '../device-backend.js'
import { classifyCodes, unaryCodes } from '../wasm/exports.js'
import { type BackendKernel, defineKernels } from './define.js'

/** Applies one function; x must be float32. */
export function runUnary(backend: DeviceBackend, code: number, x: tf.TensorInfo, alpha = 0, beta = 0): tf.TensorInfo {
  const { pointer, length } = backend.record(x.dataId)
  const out = backend.output(x.shape, 'float32')
  backend.kernels.unary(code, pointer, (out.dataId as DataRecord).pointer, length, alpha, beta)
  return out
}

const plain =
  (code: number): BackendKernel =>
  ({ inputs, backend }) => {
    const x = inputs.x!
    return x.dtype === 'float32' ? runUnary(backend, code, x) : undefined
  }

/** Functions whose alpha and beta stand in the attributes. */
const withParameters =
  (code: number, alphaName: string, betaName = ''): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const x = inputs.x!
    if (x.dtype !== 'float32') return undefined
    const values = attrs as Record<string, number>
    return runUnary(backend, code, x, values[alphaName], values[betaName])
  }

const classify =
  (code: number): BackendKernel =>
  ({ inputs, backend }) => {
    const x = inputs.x!
    if (x.dtype !== 'float32') return undefined
    const { pointer, length } = backend.record(x.dataId)
    const out = backend.output(x.shape, 'bool')
    backend.kernels.classify(code, pointer, backend.pointer(out), length)
    return out
  }

const logicalNot: BackendKernel = ({ inputs, backend }) => {
  const x = inputs.x!
  if (x.dtype !== 'bool') return undefined
  const { pointer, length } = backend.record(x.dataId)
  const out = backend.output(x.shape, 'bool')
  backend.kernels.logicalNot(pointer, backend.pointer(out), length)
  return out
}

const onlyPlain: Record<string, keyof typeof unaryCodes> = {
  ...{ Neg: 'neg', Abs: 'abs', Square: 'square', Sqrt: 'sqrt', Rsqrt: 'rsqrt', Reciprocal: 'reciprocal' },
  ...{ Exp: 'exp', Expm1: 'expm1', Log: 'log', Log1p: 'log1p', Sigmoid: 'sigmoid', Tanh: 'tanh' },
  ...{ Relu: 'relu', Relu6: 'relu6', Elu: 'elu', Selu: 'selu', Softplus: 'softplus' },
  ...{ Sin: 'sin', Cos: 'cos', Tan: 'tan', Sinh: 'sinh', Cosh: 'cosh', Asin: 'asin', Acos: 'acos', Atan: 'atan' },
  ...{ Asinh: 'asinh', Acosh: 'acosh', Atanh: 'atanh', Erf: 'erf' },
  ...{ Floor: 'floor', Ceil: 'ceil', Round: 'round', Sign: 'sign' },
}

export const unaryKernels = defineKernels({
  ...Object.fromEntries(Object.entries(onlyPlain).map(([kernel, name]) => [kernel, plain(unaryCodes[name])])),
  LeakyRelu: withParameters(unaryCodes.leakyRelu, 'alpha'),
  Step: withParameters(unaryCodes.step, 'alpha'),
  ClipByValue: withParameters(unaryCodes.clip, 'clipValueMin', 'clipValueMax'),
})

export const classifyKernels = defineKernels({
  IsNan: classify(classifyCodes.isNaN),
  IsInf: classify(classifyCodes.isInf),
  IsFinite: classify(classifyCodes.isFinite),
  LogicalNot: logicalNot,
})
