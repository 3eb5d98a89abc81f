/** Random computations that go element by element, of many shapes. */

import * as tf from '@tensorflow/tfjs-core'
import { randomTensor } from '../../src/backends/index.js'
import { Random } from '../../src/core/index.js'

const shapes = [
  [1],
  [3],
  [4],
  [37],
  [64],
  [100],
  [7, 5],
  [5, 8],
  [12, 4],
  [3, 1, 8],
  [2, 3, 4],
  [2, 5, 3],
  [2, 3, 2, 4],
]

/** Results of so many computations; the caller disposes them and all between. */
export const randomChains = (count: number): tf.Tensor[] =>
  Array.from({ length: count }, (_, seed) => randomChain(new Random(seed), shapes[seed % shapes.length]!)).flat()

/** Functions of one tensor. */
const unary: readonly ((x: tf.Tensor) => tf.Tensor)[] = [
  ...[tf.neg, tf.abs, tf.square, tf.sigmoid, tf.tanh, tf.relu, tf.relu6, tf.elu, tf.softplus, tf.sin, tf.round],
  (x) => tf.leakyRelu(x, 0.3),
  (x) => tf.clipByValue(x, -1, 0.75),
  (x) => tf.step(x, 0.5),
  (x) => tf.cast(tf.cast(tf.mul(x, 10), 'int32'), 'float32'),
  (x) => tf.where(tf.logicalNot(tf.isNaN(x)), x, tf.zerosLike(x)),
  (x) => tf.transpose(tf.reshape(x, [-1, 1])),
]
/** Functions of two, one of which may be broadcast. */
const binary: readonly ((x: tf.Tensor, y: tf.Tensor) => tf.Tensor)[] = [
  ...[tf.add, tf.sub, tf.mul, tf.maximum, tf.minimum, tf.squaredDifference, tf.divNoNan],
  (x, y) => tf.where(tf.greater(x, y), x, tf.add(x, y)),
  (x, y) => tf.addN([tf.mul(x, y), tf.add(y, x), tf.square(tf.sub(x, y))]),
  (x, y) => tf.cast(tf.logicalAnd(tf.less(x, y), tf.notEqual(y, x)), 'float32'),
  (x, y) => tf.cast(tf.floorDiv(tf.cast(tf.mul(x, 9), 'int32'), tf.cast(tf.mul(y, 3), 'int32')), 'float32'),
]

/** A random function of leaves, tensors of a shape, of parts of it, and slices that begin anywhere; several results. */
function randomChain(random: Random, shape: number[]): tf.Tensor[] {
  const draw = (of: number[]) =>
    tf.tensor(
      Array.from({ length: tf.util.sizeFromShape(of) }, () => random.normal()),
      of,
    )
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)]!
  const wholes = [draw(shape)]
  const leaf = (): tf.Tensor => {
    const kind = random.integer(6)
    if (kind === 0) return draw(shape.map((length) => (random.integer(2) === 0 ? 1 : length)))
    if (kind === 1) return tf.scalar(random.normal())
    if (kind === 2) return draw(shape.slice(1 + random.integer(shape.length)))
    if (kind === 4) return drawn(random, shape)
    // Of unaligned addresses, and with gaps between rows.
    if (kind === 3)
      return tf.slice(
        draw(shape.map((length) => length + 1)),
        shape.map((_, i) => (i === 0 ? 1 : 0)),
        shape,
      )
    return draw(shape)
  }
  while (wholes.length < 7) {
    const x = pick(wholes)
    const y = random.integer(2) === 0 ? leaf() : pick(wholes)
    const chosen = random.integer(unary.length + 2 * binary.length)
    const made =
      chosen < unary.length
        ? unary[chosen]!(x)
        : binary[(chosen - unary.length) % binary.length]!(...swap(random, x, y))
    wholes.push(tf.reshape(made, shape))
  }
  return [wholes.at(-1)!, pick(wholes.slice(1))]
}

function drawn(random: Random, shape: number[]): tf.Tensor {
  const kind = (['dropoutMask', 'uniform', 'normal'] as const)[random.integer(3)]!
  const [seed, stream] = [random.integer(1000), random.integer(9)]
  return randomTensor({ kind, shape, rate: 0.3, seed, step: 0, firstRow: 5, stream })
}

const swap = (random: Random, x: tf.Tensor, y: tf.Tensor): [tf.Tensor, tf.Tensor] =>
  random.integer(2) === 0 ? [x, y] : [y, x]
