/**
 * The native form of `DcmlAttention` and its gradient; ../attention.ts says what they compute.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { attentionGradKernelName, attentionKernelName } from '../attention.js'
import { type BackendKernel, defineKernels } from './define.js'

type Inputs = Record<'dy' | 'query' | 'key' | 'value' | 'out' | 'logSums', tf.TensorInfo>
type Geometry = [number, number, number, number, number, number, number, number]

/** Batch, queries, keys, heads, dim, valueDim, whether it is causal, scale. */
function geometryOf({ query, key, value }: Inputs, attrs: object): Geometry {
  const [batch, queries, heads, dim] = query.shape as [number, number, number, number]
  const { causal, scale } = attrs as { causal: boolean; scale: number }
  return [batch, queries, key.shape[1]!, heads, dim, value.shape[3]!, causal ? 1 : 0, scale]
}

const attention: BackendKernel = ({ inputs, attrs, backend }) => {
  const operands = inputs as Inputs
  const { query, key, value } = operands
  const [batch, queries, heads] = query.shape as [number, number, number]
  const from = [query, key, value].map((tensor) => backend.pointer(tensor)) as [number, number, number]
  const out = backend.output([batch, queries, heads, value.shape[3]!], 'float32')
  const logSums = backend.output([batch, heads, queries], 'float32')
  backend.kernels.attention(...from, backend.pointer(out), backend.pointer(logSums), ...geometryOf(operands, attrs))
  return [out, logSums]
}

const attentionGrad: BackendKernel = ({ inputs, attrs, backend }) => {
  const operands = inputs as Inputs
  const { dy, query, key, value, out, logSums } = operands
  const read = [dy, query, key, value, out, logSums].map((tensor) => backend.pointer(tensor))
  const made = [query, key, value].map(({ shape }) => backend.output(shape, 'float32'))
  const written = made.map((tensor) => backend.pointer(tensor))
  backend.kernels.attentionGrad(
    ...(read as [number, number, number, number, number, number]),
    ...(written as [number, number, number]),
    ...geometryOf(operands, attrs),
  )
  return made
}

export const attentionKernels = defineKernels({
  [attentionKernelName]: attention,
  [attentionGradKernelName]: attentionGrad,
})
