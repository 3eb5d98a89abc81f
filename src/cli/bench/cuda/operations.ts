/** Single operations on a GPU, as a user calls them; a process of the benchmark measures one. @module */

import * as tf from '@tensorflow/tfjs-core'
import { selectBackend } from '../../../index.js'

/** In what precision a product rounds its operands. */
type Precision = 'float32' | 'tf32' | 'bfloat16'

/** An operation on matrices of `side` x `side`, or on so many elements. */
export interface Operation {
  /** As with_pytorch_operations.py has it. */
  readonly name: string
  /** Billions of floating-point operations, or of bytes read and written, of one call. */
  work(sizes: Sizes): number
  readonly unit: 'GFLOP/s' | 'GB/s'
  /** What it should reach: a share of PyTorch's speed, or of the copy's bandwidth. */
  readonly target?: { over: 'pytorch' | 'copy'; atLeast: number }
  /** The operands and the call, whose result is disposed. */
  prepare(sizes: Sizes): { operands: tf.Tensor[]; run: () => tf.Tensor | undefined }
}

/** How large the operands are. */
export interface Sizes {
  readonly side: number
  readonly elements: number
}

/** What a process is asked to measure. */
export interface OperationOrder extends Sizes {
  name: string
  seconds: number
}

/** What it answers. */
export interface OperationMeasurement {
  /** Microseconds per call. */
  us: number
}

/** Waves: a GPU computes with constants at a higher clock. */
const waves = (shape: number[]): tf.Tensor =>
  tf.tidy(() => tf.reshape(tf.sin(tf.range(0, tf.util.sizeFromShape(shape), 1)), shape))

const product = (precision: Precision, target?: Operation['target']): Operation => ({
  name: `matMul ${precision}`,
  unit: 'GFLOP/s',
  work: ({ side }) => (2 * side ** 3) / 1e9,
  ...(target && { target }),
  prepare({ side }) {
    tf.env().set('DCML_CUDA_PRODUCTS', precision)
    const [a, b] = [waves([side, side]), waves([side, side])]
    return { operands: [a, b], run: () => tf.matMul(a, b) }
  },
})

/** @param arrays - How often the memory of one operand is read or written. */
const bound = (
  name: string,
  arrays: number,
  shapeOf: (sizes: Sizes) => number[],
  run: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor | undefined,
): Operation => ({
  name,
  unit: 'GB/s',
  work: (sizes) => (4 * arrays * tf.util.sizeFromShape(shapeOf(sizes))) / 1e9,
  ...(name !== copyName && { target: { over: 'copy', atLeast: 0.85 } }),
  prepare(sizes) {
    const [x, y] = [waves(shapeOf(sizes)), waves(shapeOf(sizes))]
    return { operands: [x, y], run: () => run(x, y) }
  },
})

/** The copy by the driver: what the others' bandwidths are compared with. */
export const copyName = 'copy'
/** Not an operation of tfjs, where a copy shares the memory. */
const copy = (from: tf.Tensor, to: tf.Tensor): undefined => {
  const backend = tf.backend() as unknown as { copy(from: tf.TensorInfo, to: tf.TensorInfo): void }
  backend.copy(from, to)
}

const vector = ({ elements }: Sizes) => [elements]
const square = ({ side }: Sizes) => [side, side]

/** All. */
export const operations: readonly Operation[] = [
  product('float32', { over: 'pytorch', atLeast: 0.9 }),
  product('tf32'),
  product('bfloat16', { over: 'pytorch', atLeast: 0.9 }),
  bound(copyName, 2, vector, copy),
  bound('relu', 2, vector, (x) => tf.relu(x)),
  bound('add', 3, vector, (x, y) => tf.add(x, y)),
  bound('sum', 1, vector, (x) => tf.sum(x)),
  bound('concat', 4, vector, (x, y) => tf.concat([x, y])),
  bound('transpose', 2, square, (x) => tf.transpose(x)),
]

/** Measures one: many calls are started, and the last is waited for. */
export async function measureOperation({ name, seconds, ...sizes }: OperationOrder): Promise<OperationMeasurement> {
  await selectBackend({ prefer: ['cuda'] })
  const { operands, run } = operations.find((operation) => operation.name === name)!.prepare(sizes)
  const repeat = async (count: number): Promise<number> => {
    const start = performance.now()
    for (let i = 0; i < count; i++) run()?.dispose()
    // The GPU works in order: a value that is read now is read after all calls.
    const first = tf.tidy(() => tf.slice(tf.reshape(operands[0]!, [-1]), [0], [1]))
    await first.data()
    first.dispose()
    return (performance.now() - start) / count
  }
  // The first calls compile and warm up.
  await repeat(3)
  const ms = await repeat(5)
  const us = 1000 * (await repeat(Math.max(5, Math.ceil((seconds * 1000) / ms))))
  tf.dispose(operands)
  return { us }
}
