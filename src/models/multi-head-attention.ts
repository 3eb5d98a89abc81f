/**
 * Multi-head attention as a layer of tfjs-layers, which exports none.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { attention } from '../backends/index.js'
import { checkWhole, ShapeError } from '../core/index.js'

type Shape = tfl.Shape

/** Options of `MultiHeadAttention`, as Keras names them. */
export interface MultiHeadAttentionOptions {
  /** How many heads there are. */
  numHeads: number
  /** Size of a query and a key of each head. */
  keyDim: number
  /** Size of a value of each head. @default keyDim */
  valueDim?: number
  /** Whether the four projections add a bias. @default true */
  useBias?: boolean
  /** Whether a token attends to itself and earlier ones alone. Keras takes it at each call. @default false */
  useCausalMask?: boolean
  /** Shape of the tokens, `[tokens, width]`, where it is the first layer of a sequential model. */
  inputShape?: tfl.Shape
  /** Name of the layer. @default chosen by tfjs-layers */
  name?: string
}

/**
 * Attention of tokens to tokens, several times side by side.
 *
 * y = concat(heads) W + b, where each head is softmax(q k^T / sqrt(keyDim)) v of its own linear projections q, k, v.
 * Applied to one tensor `[batch, tokens, width]` it is self-attention; applied to `[query, value]` or `[query, value, key]`
 * the tokens of `query` attend to those of `key` (default: `value`). The result has the shape of `query`. On the backends
 * wasm and cuda memory grows with the number of tokens, not with its square.
 *
 * Weights are named and shaped as in Keras: `query/kernel` `[width, numHeads, keyDim]` and so on. Kernels start as
 * Glorot's uniform numbers for the matrix that they are, biases as 0. Not there: dropout of scores, masks other than the
 * causal one.
 *
 * @see Vaswani et al. 2017, section 3.2, https://arxiv.org/abs/1706.03762
 * @example
 * const y = new MultiHeadAttention({ numHeads: 4, keyDim: 32 }).apply(x)
 */
export class MultiHeadAttention extends tfl.layers.Layer {
  static className = 'DcmlMultiHeadAttention'
  readonly #options: Required<Omit<MultiHeadAttentionOptions, 'name' | 'inputShape'>>
  readonly #weights = new Map<string, tfl.LayerVariable>()

  /** @throws {ConfigError} if a size is not a whole number above 0. */
  constructor(options: MultiHeadAttentionOptions) {
    super(options)
    const { numHeads, keyDim, valueDim = keyDim, useBias = true, useCausalMask = false } = options
    for (const [option, value] of Object.entries({ numHeads, keyDim, valueDim }))
      checkWhole(`The option ${option} of MultiHeadAttention`, value)
    this.#options = { numHeads, keyDim, valueDim, useBias, useCausalMask }
    registerMultiHeadAttention()
  }

  override build(shape: Shape | Shape[]): void {
    const { numHeads, keyDim, valueDim } = this.#options
    const [query, value, key] = threeOf(isSeveral(shape) ? shape : [shape]).map(widthOf) as [number, number, number]
    this.#addProjection('query', [query, numHeads, keyDim], query)
    this.#addProjection('key', [key, numHeads, keyDim], key)
    this.#addProjection('value', [value, numHeads, valueDim], value)
    this.#addProjection('attention_output', [numHeads, valueDim, query], numHeads * valueDim)
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { numHeads, keyDim, valueDim, useCausalMask } = this.#options
      const [query, value, key] = threeOf(Array.isArray(inputs) ? inputs : [inputs])
      const mixed = attention(
        this.#project('query', query, [numHeads, keyDim]),
        this.#project('key', key, [numHeads, keyDim]),
        this.#project('value', value, [numHeads, valueDim]),
        { causal: useCausalMask },
      )
      const joined = tf.reshape(mixed, [...mixed.shape.slice(0, 2), numHeads * valueDim])
      return this.#project('attention_output', joined, [query.shape[2]!])
    })
  }

  override computeOutputShape(shape: Shape | Shape[]): Shape {
    return isSeveral(shape) ? shape[0]! : shape
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#options }
  }

  /** @param rows - Length of what is projected: the rows of the kernel as a matrix. */
  #addProjection(name: string, shape: number[], rows: number): void {
    const columns = tf.util.sizeFromShape(shape) / rows
    const limit = Math.sqrt(6 / (rows + columns))
    const uniform = tfl.initializers.randomUniform({ minval: -limit, maxval: limit })
    this.#add(`${name}/kernel`, shape, uniform)
    const biasShape = name === 'attention_output' ? shape.slice(2) : shape.slice(1)
    if (this.#options.useBias) this.#add(`${name}/bias`, biasShape, tfl.initializers.zeros())
  }

  #add(name: string, shape: number[], initializer: ReturnType<typeof tfl.initializers.zeros>): void {
    this.#weights.set(name, this.addWeight(name, shape, 'float32', initializer))
  }

  /** `[batch, tokens, rows]` times the kernel as a matrix, as `[batch, tokens, ...shape]`. */
  #project(name: string, x: tf.Tensor, shape: number[]): tf.Tensor {
    const [batch, tokens, rows] = x.shape as [number, number, number]
    const columns = tf.util.sizeFromShape(shape)
    const kernel = tf.reshape(this.#weights.get(`${name}/kernel`)!.read(), [rows, columns]) as tf.Tensor2D
    const product = tf.matMul(tf.reshape(x, [batch * tokens, rows]), kernel)
    const bias = this.#weights.get(`${name}/bias`)?.read()
    return tf.reshape(bias ? tf.add(product, tf.reshape(bias, [columns])) : product, [batch, tokens, ...shape])
  }
}

/**
 * Lets tfjs read models that hold the layer, as `tfl.loadLayersModel` does. dcml reads them without; making a layer
 * does it as well.
 */
export function registerMultiHeadAttention(): void {
  const { classNameMap } = tf.serialization.SerializationMap.getMap()
  if (!(MultiHeadAttention.className in classNameMap)) tf.serialization.registerClass(MultiHeadAttention)
}

const isSeveral = (shape: Shape | Shape[]): shape is Shape[] => Array.isArray(shape[0])

/** Query, value and key: the last two default to the one before. */
function threeOf<T>([query, value = query, key = value]: readonly (T | undefined)[]): [T, T, T] {
  return [query!, value!, key!]
}

function widthOf(shape: Shape): number {
  const width = shape[2]
  if (shape.length === 3 && typeof width === 'number') return width
  throw new ShapeError('MultiHeadAttention takes rows of tokens.', {
    expected: '[batch, tokens, width]',
    received: `[${shape}]`,
  })
}
