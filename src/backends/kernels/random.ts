/**
 * The native form of `DcmlRandom`; ../../random-tensor.ts says which numbers it draws.
 * @module
 */

import { rowSize, sizeOf } from '../../core/index.js'
import { type RandomTensorOptions, randomKernelName } from '../random-tensor.js'
import { randomCodes } from '../wasm/exports.js'
import { type BackendKernel, defineKernels } from './define.js'

const native: BackendKernel = ({ attrs, backend }) => {
  const { kind, shape, rate = 0, seed, step, firstRow, stream } = attrs as RandomTensorOptions
  const width = rowSize(shape)
  const rows = width === 0 ? 0 : sizeOf(shape) / width
  const out = backend.output(shape, 'float32')
  backend.kernels.philoxFill(backend.pointer(out), rows, width, randomCodes[kind], rate, seed, step, firstRow, stream)
  return out
}

export const randomKernels = defineKernels({ [randomKernelName]: native })
