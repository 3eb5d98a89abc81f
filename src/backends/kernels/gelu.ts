/**
 * The native form of `DcmlGelu` and its gradient; ../../gelu.ts says what they compute.
 * @module
 */

import { geluGradKernelName, geluKernelName } from '../gelu.js'
import { binaryCodes, unaryCodes } from '../wasm/exports.js'
import { runBinary } from './binary.js'
import { type BackendKernel, defineKernels } from './define.js'
import { runUnary } from './unary.js'

const isApproximate = (attrs: object): boolean => (attrs as { approximate: boolean }).approximate

const gelu: BackendKernel = ({ inputs, attrs, backend }) =>
  runUnary(backend, isApproximate(attrs) ? unaryCodes.geluTanh : unaryCodes.gelu, inputs.x!)

const geluGrad: BackendKernel = ({ inputs, attrs, backend }) =>
  runBinary(backend, isApproximate(attrs) ? binaryCodes.geluTanhGrad : binaryCodes.geluGrad, inputs.dy!, inputs.x!)

export const geluKernels = defineKernels({
  [geluKernelName]: gelu,
  [geluGradKernelName]: geluGrad,
})
