/**
 * Rows of a column in host memory, gathered by index into a tensor.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf, type TypedArray } from '../core/index.js'
import { activeDeviceBackend, type DeviceBackend } from './device-backend.js'
import { dtypeCodes } from './wasm/exports.js'
import type { RowsContent } from './wasm/program/recorder.js'

/** Which rows to take: those that `indices` names from `from` up to, not including, `to`. */
export interface RowSelection {
  indices: Uint32Array | Int32Array
  from: number
  to: number
  /** Byte offset of the same indices in the memory of dcml-wasm, if they are there. */
  pointer?: number
}

/**
 * The type in which the kernels take rows of a column, and in which a column lies in their memory.
 *
 * @param width - Elements of a row.
 */
export function deviceType(source: TypedArray, width: number): RowsContent['dtype'] {
  if (source instanceof Int32Array) return 'int32'
  return width >= WIDE_ROW && isBytes(source) ? 'uint8' : 'float32'
}

/**
 * Gathers rows and converts them; on a backend of dcml's own with one copy, straight into its memory.
 *
 * @param source - The column, `[rows, ...rowShape]`; uint8 pixels and the like are converted.
 * @param rowShape - Shape of one row.
 * @returns `[to - from, ...rowShape]`. The caller disposes it.
 * @example
 * const images = rowTensor(pixels, [28, 28, 1], { indices: order, from: 0, to: 32 }, 'float32')
 */
export function rowTensor(
  source: TypedArray,
  rowShape: number[],
  selection: RowSelection,
  dtype: 'float32' | 'int32',
): tf.Tensor {
  const shape = [selection.to - selection.from, ...rowShape]
  const width = sizeOf(rowShape)
  const backend = activeDeviceBackend()
  if (backend === undefined) {
    const values = dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape))
    gather(source, width, selection, values, 0)
    return tf.tensor(values, shape, dtype)
  }
  const out = backend.output(shape, dtype)
  const pointer = backend.pointer(out)
  const elements = sizeOf(shape)
  if (dtype === 'float32' && deviceType(source, width) === 'uint8') {
    // Bytes are copied as they are, row by row, and the kernel widens them.
    const bytes = backend.heap.allocate(elements, 'uint8 rows', shape)
    gatherInto(backend, bytes, { source, width, dtype: 'uint8' }, selection)
    backend.kernels.cast(dtypeCodes.uint8, dtypeCodes.float32, bytes, pointer, elements)
    backend.heap.release(bytes)
  } else gatherInto(backend, pointer, { source, width, dtype }, selection)
  return tf.engine().makeTensorFromTensorInfo(out, backend)
}

/** Gathers rows to a place in the memory of a backend. */
export function gatherInto(
  backend: DeviceBackend,
  pointer: number,
  content: RowsContent,
  selection: RowSelection,
): void {
  backend.recorder?.gathered(pointer, content)
  const { source, width, dtype } = content
  const length = (selection.to - selection.from) * width
  backend.writeInto({ pointer, dtype, length }, (target, start) => gather(source, width, selection, target, start))
}

/** From this width on, one `set` per row costs less than a loop, when nothing has to be converted. */
const WIDE_ROW = 32

const isBytes = (source: TypedArray) => source instanceof Uint8Array || source instanceof Uint8ClampedArray

function gather(
  source: TypedArray,
  width: number,
  { indices, from, to }: RowSelection,
  target: Float32Array | Int32Array | Uint8Array,
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
