/** The layers of a transformer that tfjs-layers lacks, in plain operations of tfjs. @module */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

type Shape = (number | null)[]

const only = (inputs: tf.Tensor | tf.Tensor[]) => (Array.isArray(inputs) ? inputs[0]! : inputs)

/** Adds a learned vector per position to tokens `[batch, tokens, width]`. */
export class AddPositions extends tfl.layers.Layer {
  static className = 'BenchAddPositions'
  #positions: tfl.LayerVariable | undefined

  override build(shape: Shape): void {
    const initializer = tfl.initializers.randomNormal({ stddev: 0.02 })
    this.#positions = this.addWeight('positions', shape.slice(1), 'float32', initializer)
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(only(inputs), this.#positions!.read())
  }

  override computeOutputShape(shape: Shape): Shape {
    return shape
  }
}

/**
 * Multi-head attention of tokens `[batch, tokens, width]` to each other.
 *
 * y = softmax(q k^T / sqrt(width / heads)) v for each head, then a linear layer over all heads.
 *
 * @see Vaswani et al. 2017, section 3.2, https://arxiv.org/abs/1706.03762
 */
export class SelfAttention extends tfl.layers.Layer {
  static className = 'BenchSelfAttention'
  readonly #heads: number
  readonly #weights: tfl.LayerVariable[] = []

  constructor(config: { heads: number; name?: string }) {
    super(config)
    this.#heads = config.heads
  }

  override build(shape: Shape): void {
    const width = shape.at(-1)!
    const matrix = tfl.initializers.glorotUniform({})
    const zeros = tfl.initializers.zeros()
    this.#weights.push(
      this.addWeight('projection', [width, 3 * width], 'float32', matrix),
      this.addWeight('projectionBias', [3 * width], 'float32', zeros),
      this.addWeight('output', [width, width], 'float32', matrix),
      this.addWeight('outputBias', [width], 'float32', zeros),
    )
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = only(inputs)
      const [batch, tokens, width] = x.shape as [number, number, number]
      const [projection, projectionBias, output, outputBias] = this.#weights.map((weight) => weight.read())
      const flat = tf.reshape(x, [batch * tokens, width])
      const all = tf.add(tf.matMul(flat, projection as tf.Tensor2D), projectionBias!)
      const [query, key, value] = tf.split(all, 3, 1).map((part) => this.#byHead(part, batch, tokens))
      const scale = Math.sqrt(this.#heads / width)
      const scores = tf.softmax(tf.mul(tf.matMul(query!, key!, false, true), scale))
      const mixed = tf.transpose(tf.matMul(scores, value!), [0, 2, 1, 3])
      const joined = tf.reshape(mixed, [batch * tokens, width])
      return tf.reshape(tf.add(tf.matMul(joined, output as tf.Tensor2D), outputBias!), x.shape)
    })
  }

  override computeOutputShape(shape: Shape): Shape {
    return shape
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.#heads }
  }

  /** `[batch * tokens, width]` to `[batch, heads, tokens, width / heads]`. */
  #byHead(part: tf.Tensor, batch: number, tokens: number): tf.Tensor {
    return tf.transpose(tf.reshape(part, [batch, tokens, this.#heads, -1]), [0, 2, 1, 3])
  }
}
