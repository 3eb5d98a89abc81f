/**
 * Complex numbers: a pair of float32 tensors, which these kernels join and part.
 * @module
 */

import { type BackendKernel, defineKernels } from './define.js'

const complex: BackendKernel = ({ inputs, backend }) => backend.makeComplex({ real: inputs.real!, imag: inputs.imag! })

const part =
  (name: 'real' | 'imag'): BackendKernel =>
  ({ inputs, backend }) => {
    const { dataId, shape } = inputs.input!
    return backend.share(backend.record(dataId).complex![name], shape)
  }

export const complexKernels = defineKernels({ Complex: complex, Real: part('real'), Imag: part('imag') })
