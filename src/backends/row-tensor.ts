/**
 * Rows of a column in host memory, gathered by index into a tensor.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf, type TypedArray } from '../core/index.js'
import { activeWasmBackend } from './wasm/register.js'

/**
 * Gathers rows and converts them; on dcml-wasm with one copy, straight into the backend's memory.
 *
 * @param source - The column, `[rows, ...rowShape]`; uint8 pixels and the like are converted.
 * @param rowShape - Shape of one row.
 * @param indices - Which rows; those from `from` up to, not including, `to` are taken.
 * @returns `[to - from, ...rowShape]`. The caller disposes it.
 * @example
 * const images = rowTensor(pixels, [28, 28, 1], order, 0, 32, 'float32')
 */
export function rowTensor(
  source: TypedArray,
  rowShape: number[],
  indices: Uint32Array | Int32Array,
  from: number,
  to: number,
  dtype: 'float32' | 'int32',
): tf.Tensor {
  const shape = [to - from, ...rowShape]
  const width = sizeOf(rowShape)
  const backend = activeWasmBackend()
  if (backend === undefined) {
    const values = dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape))
    gather(source, width, indices, from, to, values, 0)
    return tf.tensor(values, shape, dtype)
  }
  const info = backend.output(shape, dtype)
  const memory = dtype === 'int32' ? backend.heap.ints : backend.heap.floats
  gather(source, width, indices, from, to, memory, backend.pointer(info) / 4)
  return tf.engine().makeTensorFromTensorInfo(info, backend)
}

/** From this width on, one `set` per row costs less than a loop, when nothing has to be converted. */
const WIDE_ROW = 32

function gather(
  source: TypedArray,
  width: number,
  indices: Uint32Array | Int32Array,
  from: number,
  to: number,
  target: Float32Array | Int32Array,
  start: number,
): void {
  const sameType = source.constructor === target.constructor
  let place = start
  for (let i = from; i < to; i++) {
    const first = indices[i]! * width
    if (sameType && width >= WIDE_ROW) target.set(source.subarray(first, first + width), place)
    else for (let j = 0; j < width; j++) target[place + j] = source[first + j]!
    place += width
  }
}
