/**
 * Complex numbers: a pair of float32 tensors, which these kernels join and part.
 * @module
 */

import { defineKernels, type WasmKernel } from './define.js'

const complex: WasmKernel = ({ inputs, backend }) => backend.makeComplex({ real: inputs.real!, imag: inputs.imag! })

const part =
  (name: 'real' | 'imag'): WasmKernel =>
  ({ inputs, backend }) => {
    const { dataId, shape } = inputs.input!
    return backend.share(backend.record(dataId).complex![name], shape)
  }

export const complexKernels = defineKernels({ Complex: complex, Real: part('real'), Imag: part('imag') })
