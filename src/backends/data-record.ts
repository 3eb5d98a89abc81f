/**
 * What the wasm backend knows of one tensor's data.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'

/** The two halves of complex data, each a float32 tensor of its own. */
export interface ComplexParts {
  real: tf.TensorInfo
  imag: tf.TensorInfo
}

/**
 * The data of one or more tensors. It serves as its own `dataId` in tfjs, so that a kernel finds the pointer without
 * looking it up.
 */
export class DataRecord {
  /** How many tensors share the data; 0: the data is gone. */
  refCount = 1
  /** Strings are kept here, each as its UTF-8 bytes; undefined for every other dtype. */
  strings: Uint8Array[] | undefined = undefined
  /** The halves of complex64 data; undefined for every other dtype. */
  complex: ComplexParts | undefined = undefined

  /**
   * @param pointer - Byte offset in the memory, 64-byte aligned when owned; 0 for strings and complex64.
   * @param length - Number of elements.
   * @param dtype - float32 and int32 take four bytes an element, bool takes one.
   * @param owned - Whether the range is released with the record; false for an alias of someone else's range.
   */
  constructor(
    public pointer: number,
    public length: number,
    public dtype: tf.DataType,
    readonly owned: boolean,
  ) {}
}
