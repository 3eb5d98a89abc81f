/**
 * The native form of `DcmlGelu` and its gradient; ../../gelu.ts says what they compute.
 * @module
 */

import { geluGradKernelName, geluKernelName } from '../../gelu.js'
import { binaryCodes, unaryCodes } from '../exports.js'
import { runBinary } from './binary.js'
import { defineKernels, type WasmKernel } from './define.js'
import { runUnary } from './unary.js'

const isApproximate = (attrs: object): boolean => (attrs as { approximate: boolean }).approximate

const gelu: WasmKernel = ({ inputs, attrs, backend }) =>
  runUnary(backend, isApproximate(attrs) ? unaryCodes.geluTanh : unaryCodes.gelu, inputs.x!)

const geluGrad: WasmKernel = ({ inputs, attrs, backend }) =>
  runBinary(backend, isApproximate(attrs) ? binaryCodes.geluTanhGrad : binaryCodes.geluGrad, inputs.dy!, inputs.x!)

export const geluKernels = defineKernels({
  [geluKernelName]: gelu,
  [geluGradKernelName]: geluGrad,
})
