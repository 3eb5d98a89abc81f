/** Single operations on a GPU, as a user calls them. @module */

import * as tf from '@tensorflow/tfjs-core'

/** In what precision a product rounds its operands. */
type Precision = 'float32' | 'tf32' | 'bfloat16'

/** An operation on a matrix of `side` x `side`, or on so many elements. */
export interface Operation {
  readonly name: string
  readonly precision?: Precision
  /** Billions of floating-point operations, or of bytes read and written, of one call. */
  work(sizes: Sizes): number
  readonly unit: 'GFLOP/s' | 'GB/s'
  /** The operands and the call. */
  prepare(sizes: Sizes): { operands: tf.Tensor[]; run: () => tf.Tensor }
}

/** How large the operands are. */
export interface Sizes {
  readonly side: number
  readonly elements: number
}

const product = (precision: Precision): Operation => ({
  name: 'matMul',
  precision,
  unit: 'GFLOP/s',
  work: ({ side }) => (2 * side ** 3) / 1e9,
  prepare({ side }) {
    tf.env().set('DCML_CUDA_PRODUCTS', precision)
    // Not all ones: a GPU draws less power for these, and runs faster than on numbers of use.
    const matrix = (factor: number) =>
      tf.tidy(() => tf.reshape(tf.sin(tf.mul(tf.range(0, side * side), factor)), [side, side])) as tf.Tensor2D
    const [a, b] = [matrix(0.7), matrix(1.3)]
    return { operands: [a, b], run: () => tf.matMul(a, b) }
  },
})

const elementwise = (name: string, arrays: number, run: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor): Operation => ({
  name,
  unit: 'GB/s',
  work: ({ elements }) => (4 * arrays * elements) / 1e9,
  prepare({ elements }) {
    const [x, y] = [tf.ones([elements]), tf.ones([elements])]
    return { operands: [x, y], run: () => run(x, y) }
  },
})

/** All; the names are those of with_pytorch_operations.py. */
export const operations: readonly Operation[] = [
  product('float32'),
  product('tf32'),
  product('bfloat16'),
  elementwise('relu', 2, (x) => tf.relu(x)),
  elementwise('add', 3, (x, y) => tf.add(x, y)),
  elementwise('sum', 1, (x) => tf.sum(x)),
]

/** What a line of the table calls it. */
export const titleOf = ({ name, precision }: Operation): string => (precision ? `${name} ${precision}` : name)

/** Microseconds of one call: many are started, and the last is waited for. */
export async function timeOperation(operation: Operation, sizes: Sizes, seconds: number): Promise<number> {
  const { operands, run } = operation.prepare(sizes)
  const repeat = async (count: number): Promise<number> => {
    const start = performance.now()
    for (let i = 1; i < count; i++) run().dispose()
    const last = run()
    const first = tf.tidy(() => tf.slice(tf.reshape(last, [-1]), [0], [1]))
    await first.data()
    tf.dispose([first, last])
    return (performance.now() - start) / count
  }
  try {
    // The first calls compile and warm up.
    await repeat(3)
    const ms = await repeat(5)
    return 1000 * (await repeat(Math.max(5, Math.ceil((seconds * 1000) / ms))))
  } finally {
    tf.dispose(operands)
  }
}
