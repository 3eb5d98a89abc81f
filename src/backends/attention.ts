/**
 * Attention as one kernel each way, where the backend has them: dcml-wasm and cuda. Elsewhere it is composed of tfjs'
 * operations.
 *
 * The kernels keep no matrix of weights: its blocks are computed, used, and computed again for the gradient, so that memory
 * grows with the number of tokens instead of its square.
 *
 * @see Dao et al. 2022, https://arxiv.org/abs/2205.14135
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { ConfigError, ShapeError } from '../core/index.js'
import { hasNative, runNatives } from './native-kernels.js'

/** Names of the kernels in tfjs. */
export const attentionKernelName = 'DcmlAttention'
export const attentionGradKernelName = 'DcmlAttentionGrad'

/** Options of `attention`. */
export interface AttentionOptions {
  /** Whether query i sees keys 0 to i alone. @default false */
  causal?: boolean
  /** What scores are multiplied by, above 0. @default 1 / sqrt(dim) */
  scale?: number
}

interface Attributes extends tf.NamedAttrMap {
  causal: boolean
  scale: number
}

/**
 * softmax(scale * query key^T) value, for each head by itself.
 *
 * @param query - float32, `[batch, queries, heads, dim]`.
 * @param key - float32, `[batch, keys, heads, dim]`.
 * @param value - float32, `[batch, keys, heads, valueDim]`.
 * @returns float32, `[batch, queries, heads, valueDim]`. The caller disposes it.
 * @throws {ShapeError} if the shapes do not fit together.
 * @throws {ConfigError} if the scale is not above 0.
 * @see Vaswani et al. 2017, section 3.2, https://arxiv.org/abs/1706.03762
 * @example
 * const y = attention(query, key, value, { causal: true })
 */
export function attention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  options: AttentionOptions = {},
): tf.Tensor4D {
  checkShapes(query, key, value)
  const { causal = false, scale = 1 / Math.sqrt(query.shape[3]!) } = options
  if (!(scale > 0 && Number.isFinite(scale)))
    throw new ConfigError('The scale of attention is out of range.', { expected: 'a number above 0', received: scale })
  const attributes: Attributes = { causal, scale }
  const run = hasNative(attentionKernelName) ? native : composed
  return tf.tidy(() => run({ query, key, value }, attributes)) as tf.Tensor4D
}

type Operands = Record<'query' | 'key' | 'value', tf.Tensor>
type Three = [tf.Tensor, tf.Tensor, tf.Tensor]

const native = (operands: Operands, attributes: Attributes): tf.Tensor =>
  runNatives(attentionKernelName, operands, attributes)[0]!

/** The kernel gives the result and what its gradient needs: the logarithms of the sums of the softmax. */
export const attentionGradient: tf.GradConfig = {
  kernelName: attentionKernelName,
  inputsToSave: ['query', 'key', 'value'],
  outputsToSave: [true, true],
  gradFunc: (dys, saved, attrs) => {
    const [query, key, value, out, logSums] = saved as [...Three, tf.Tensor, tf.Tensor]
    const dy = (dys as tf.Tensor[])[0]!
    const inputs = { dy, query, key, value, out, logSums }
    const [dQuery, dKey, dValue] = runNatives<Three>(attentionGradKernelName, inputs, attrs)
    return { query: () => dQuery, key: () => dKey, value: () => dValue }
  },
}

/** `[batch, tokens, heads, dim]` to `[batch, heads, tokens, dim]`, and back. */
const swap = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, 2, 1, 3])

/** What a query does not see: e to the power of it is 0. */
const HIDDEN = -1e9

function composed({ query, key, value }: Operands, { causal, scale }: Attributes): tf.Tensor {
  const scores = tf.mul(tf.matMul(swap(query), swap(key), false, true), scale)
  const seen = causal ? tf.where(isSeen(query.shape[1]!, key.shape[1]!), scores, tf.fill(scores.shape, HIDDEN)) : scores
  return swap(tf.matMul(tf.softmax(seen), swap(value)))
}

/** `[queries, keys]`: whether the key comes no later than the query. */
function isSeen(queries: number, keys: number): tf.Tensor {
  const rows = tf.expandDims(tf.range(0, queries), 1)
  return tf.lessEqual(tf.expandDims(tf.range(0, keys), 0), rows)
}

function checkShapes(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor): void {
  const [batch, , heads, dim] = query.shape
  const fits =
    [query, key, value].every(({ rank, dtype }) => rank === 4 && dtype === 'float32') &&
    [key, value].every(({ shape }) => shape[0] === batch && shape[2] === heads) &&
    key.shape[3] === dim &&
    key.shape[1] === value.shape[1]
  if (fits) return
  const shown = [query, key, value].map(({ dtype, shape }) => `${dtype} [${shape}]`)
  throw new ShapeError('Query, key and value do not fit together.', {
    expected: 'float32 [batch, queries, heads, dim], [batch, keys, heads, dim], [batch, keys, heads, valueDim]',
    received: shown.join(', '),
  })
}
